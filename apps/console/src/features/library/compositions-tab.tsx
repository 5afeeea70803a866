import type { CompositionSummary } from '@countersign/wire'
import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCan } from '../../api/session.ts'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { PlusIcon } from '../../ui/icons.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState } from '../../ui/list-states.tsx'
import { Listing } from '../../ui/listing.tsx'
import { usePages } from '../../ui/pages.ts'
import toolbar from '../../ui/toolbar.module.css'
import ui from '../../ui/ui.module.css'
import whole from '../../ui/whole.module.css'
import { CompositionView } from './composition-view.tsx'
import { ImportButton } from './import-button.tsx'
import { NewComposition } from './new-composition.tsx'
import { compositionsQuery } from './queries.ts'
import { libraryRoute } from './route.ts'
import type { LibrarySearch } from './search.ts'

const columns: readonly Column<CompositionSummary>[] = [
  {
    id: 'name',
    header: 'Composition',
    width: 'minmax(140px, 1.2fr)',
    isFixed: true,
    cell: ({ name }) => <span className={ui.cut}>{name}</span>,
  },
  { id: 'rules', header: 'Rules', width: '60px', align: 'end', isFixed: true, cell: ({ rule_count }) => rule_count },
  {
    id: 'newer',
    header: 'To upgrade',
    width: '90px',
    align: 'end',
    cell: ({ newer_versions }) =>
      newer_versions === 0 ? <span className={ui.faint}>0</span> : <b className={ui.care}>{newer_versions}</b>,
  },
  {
    id: 'description',
    header: 'Description',
    width: 'minmax(160px, 2fr)',
    isWideOnly: true,
    cell: ({ description }) => <span className={ui.cutFaint}>{description ?? ''}</span>,
  },
  {
    id: 'changed',
    header: 'Changed',
    width: '100px',
    isWideOnly: true,
    cell: ({ changed_at }) => <Instant at={changed_at} />,
  },
  {
    id: 'by',
    header: 'By',
    width: 'minmax(130px, 1fr)',
    isWideOnly: true,
    cell: ({ changed_by }) => <span className={ui.cut}>{changed_by.label}</span>,
  },
]

export function CompositionsTab() {
  const { composition, new: isNew } = libraryRoute.useSearch()
  const navigate = useNavigate()
  const mayWrite = useCan('rulesets:write')
  const list = useInfiniteQuery(compositionsQuery)
  const { rows, onEnd } = usePages(list)
  const go = (change: LibrarySearch): void => {
    void navigate({ to: '/library', search: ({ environment }) => ({ environment, tab: 'compositions', ...change }) })
  }
  if (composition !== undefined) {
    return <CompositionView key={composition} name={composition} onClose={() => go({})} />
  }
  return (
    <div className={whole.whole}>
      <div className={toolbar.toolbar}>
        <p className={ui.quiet}>Rules in an order, out of which a ruleset of the same name is made.</p>
        <span className={toolbar.grow} />
        {mayWrite && (
          <>
            <ImportButton />
            <Button leftSection={<PlusIcon size={14} />} onClick={() => go({ new: true })}>
              New composition
            </Button>
          </>
        )}
      </div>
      <Listing
        list={list}
        hasRows={rows.length > 0}
        what="The compositions"
        empty={
          <EmptyState
            title="No composition yet"
            action={mayWrite && <Button onClick={() => go({ new: true })}>Make the first one</Button>}
          >
            Put rules of the library in an order, look at the text they make, and keep it as a revision.
          </EmptyState>
        }
      >
        <DataTable
          label="Compositions"
          columns={columns}
          rows={rows}
          rowId={({ name }) => name}
          onOpen={({ name }) => go({ composition: name })}
          onEnd={onEnd}
        />
      </Listing>
      {isNew && mayWrite && <NewComposition onClose={() => go({})} onMade={(name) => go({ composition: name })} />}
    </div>
  )
}
