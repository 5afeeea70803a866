import type { LibraryRule } from '@countersign/wire'
import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCan } from '../../api/session.ts'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { FindField } from '../../ui/find-field.tsx'
import { PlusIcon } from '../../ui/icons.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState, FilteredToNothing } from '../../ui/list-states.tsx'
import { Listing } from '../../ui/listing.tsx'
import { usePages } from '../../ui/pages.ts'
import toolbar from '../../ui/toolbar.module.css'
import ui from '../../ui/ui.module.css'
import whole from '../../ui/whole.module.css'
import { ImportButton } from './import-button.tsx'
import { libraryRulesQuery } from './queries.ts'
import { libraryRoute } from './route.ts'
import { RuleDrawer } from './rule-drawer.tsx'
import { RuleForm } from './rule-form.tsx'
import type { LibrarySearch } from './search.ts'

const columns: readonly Column<LibraryRule>[] = [
  {
    id: 'id',
    header: 'Rule',
    width: 'minmax(140px, 1.4fr)',
    isFixed: true,
    cell: ({ rule_id }) => <code className={ui.cutMono}>{rule_id}</code>,
  },
  {
    id: 'name',
    header: 'Name',
    width: 'minmax(150px, 1.6fr)',
    isWideOnly: true,
    cell: ({ name, description }) => (
      <span className={ui.cut} title={description ?? undefined}>
        {name}
      </span>
    ),
  },
  { id: 'type', header: 'Type', width: '76px', cell: ({ type }) => <span className={ui.quiet}>{type}</span> },
  {
    id: 'tags',
    header: 'Tags',
    width: 'minmax(110px, 1fr)',
    isWideOnly: true,
    cell: ({ tags }) => <span className={ui.cutFaint}>{tags.join(', ')}</span>,
  },
  { id: 'version', header: 'Version', width: '70px', cell: ({ version }) => <code>v{version}</code> },
  {
    id: 'uses',
    header: 'Used in',
    width: '64px',
    align: 'end',
    isWideOnly: true,
    cell: ({ usage_count }) => (usage_count === 0 ? <span className={ui.faint}>0</span> : usage_count),
  },
  {
    id: 'changed',
    header: 'Changed',
    width: '90px',
    isWideOnly: true,
    cell: ({ made_at }) => <Instant at={made_at} />,
  },
  {
    id: 'by',
    header: 'By',
    width: 'minmax(130px, 1fr)',
    isWideOnly: true,
    cell: ({ made_by }) => <span className={ui.cut}>{made_by.label}</span>,
  },
]

export function RulesTab() {
  const { q, rule, new: isNew } = libraryRoute.useSearch()
  const navigate = useNavigate()
  const mayWrite = useCan('rulesets:write')
  const list = useInfiniteQuery(libraryRulesQuery(q))
  const { rows, onEnd } = usePages(list)
  const go = (change: LibrarySearch, replace = false): void => {
    void navigate({ to: '/library', search: ({ environment }) => ({ environment, q, ...change }), replace })
  }
  return (
    <div className={whole.whole}>
      <div className={toolbar.toolbar}>
        <FindField
          label="Find a rule"
          placeholder="Id, name or description"
          text={q}
          onText={(found) => go({ q: found }, true)}
        />
        <span className={toolbar.grow} />
        {mayWrite && (
          <>
            <ImportButton />
            <Button leftSection={<PlusIcon size={14} />} onClick={() => go({ new: true })}>
              New rule
            </Button>
          </>
        )}
      </div>
      <Listing
        list={list}
        hasRows={rows.length > 0}
        what="The library"
        empty={
          q === undefined ? (
            <EmptyState
              title="No rule in the library yet"
              action={mayWrite && <Button onClick={() => go({ new: true })}>Write the first one</Button>}
            >
              A rule here is written once, kept in versions, and put into as many rulesets as need it.
            </EmptyState>
          ) : (
            <FilteredToNothing what="rules" onClear={() => go({ q: undefined }, true)} />
          )
        }
      >
        <DataTable
          label="Rules of the library"
          columns={columns}
          rows={rows}
          rowId={({ rule_id }) => rule_id}
          openId={rule}
          onOpen={({ rule_id }) => go({ rule: rule_id })}
          onEnd={onEnd}
        />
      </Listing>
      {rule !== undefined && <RuleDrawer key={rule} id={rule} onClose={() => go({})} />}
      {isNew && mayWrite && <RuleForm rule={undefined} onClose={() => go({})} onSaved={(id) => go({ rule: id })} />}
    </div>
  )
}
