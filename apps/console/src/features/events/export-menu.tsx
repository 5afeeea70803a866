import { Menu, UnstyledButton } from '@mantine/core'
import { DownloadIcon } from '../../ui/icons.tsx'
import classes from './events.module.css'
import { exportAddress } from './queries.ts'
import type { EventList } from './search.ts'

/** Everything that the filters leave, not only what was loaded: the server streams it. */
export function ExportMenu({ list }: { readonly list: EventList }) {
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <UnstyledButton className={classes.square} aria-label="Export what is filtered">
          <DownloadIcon size={16} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>All that the filters leave</Menu.Label>
        <Menu.Item component="a" href={exportAddress(list, 'csv')} download="events.csv">
          CSV, for a spreadsheet
        </Menu.Item>
        <Menu.Item component="a" href={exportAddress(list, 'jsonl')} download="events.jsonl">
          JSON Lines, with arguments
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
