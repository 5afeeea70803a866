import { Menu, UnstyledButton } from '@mantine/core'
import { addressOf } from '../../api/client.ts'
import { DownloadIcon } from '../../ui/icons.tsx'
import { queryOf, type TrailSearch } from './search.ts'
import classes from './trail.module.css'

/** Everything the filters leave, or the whole log as evidence; either is itself recorded. */
export function ExportMenu({ search }: { readonly search: TrailSearch }) {
  const address = (format: 'csv' | 'jsonl') => addressOf('/trail/export', { ...queryOf(search), format })
  return (
    <Menu position="bottom-end" width={270}>
      <Menu.Target>
        <UnstyledButton className={classes.square} aria-label="Export the trail">
          <DownloadIcon size={16} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>All that the filters leave</Menu.Label>
        <Menu.Item component="a" href={address('csv')} download="trail.csv">
          CSV, for a spreadsheet
        </Menu.Item>
        <Menu.Item component="a" href={address('jsonl')} download="trail.jsonl">
          JSON Lines, with the canonical text
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>The whole log</Menu.Label>
        <Menu.Item
          component="a"
          href={addressOf('/trail/export', { format: 'evidence' })}
          download="trail.evidence.jsonl"
        >
          Evidence, for verifiers
        </Menu.Item>
        <p className={classes.menuNote}>Every export is recorded in the trail.</p>
      </Menu.Dropdown>
    </Menu>
  )
}
