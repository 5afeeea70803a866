import { Button, Switch } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCan } from '../../api/session.ts'
import type { AgentKey } from '../../api/types.ts'
import { useEnvironment } from '../../frame/environment.ts'
import { Page } from '../../frame/page.tsx'
import { AbsentNote } from '../../ui/absent-note.tsx'
import { ColumnMenu, useColumnChoice } from '../../ui/data-table/column-menu.tsx'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { FindField } from '../../ui/find-field.tsx'
import { PlusIcon } from '../../ui/icons.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState, FilteredToNothing } from '../../ui/list-states.tsx'
import { Listing } from '../../ui/listing.tsx'
import { counted } from '../../ui/numbers.ts'
import toolbar from '../../ui/toolbar.module.css'
import ui from '../../ui/ui.module.css'
import { KeyDrawer } from './key-drawer.tsx'
import { MakeKey } from './make-key.tsx'
import { keysQuery } from './queries.ts'
import { keysRoute } from './route.ts'
import type { KeysSearch } from './search.ts'
import { holds, nameOf, renderingWords } from './words.ts'

const columns: readonly Column<AgentKey>[] = [
  {
    id: 'label',
    header: 'Label',
    sortBy: ({ label }) => label || null,
    width: 'minmax(150px, 2fr)',
    isFixed: true,
    cell: (key) => (
      <>
        <span className={key.revoked_at ? ui.cutFaint : ui.cut}>{key.label === '' ? 'no label' : key.label}</span>
        {key.revoked_at && <span className={ui.word}>revoked</span>}
        {key.may_decide && <span className={ui.word}>may decide</span>}
      </>
    ),
  },
  {
    id: 'prefix',
    header: 'Key',
    width: 'minmax(190px, 1.4fr)',
    isWideOnly: true,
    cell: ({ prefix }) => <code>{prefix}…</code>,
  },
  {
    id: 'environment',
    header: 'Environment',
    sortBy: ({ environment }) => environment,
    width: '150px',
    cell: ({ environment }) => <EnvironmentTag name={environment} />,
  },
  {
    id: 'rendering',
    header: 'Rules as',
    sortBy: ({ rendering }) => renderingWords[rendering],
    width: '130px',
    isWideOnly: true,
    cell: ({ rendering }) => <span className={ui.quiet}>{renderingWords[rendering]}</span>,
  },
  {
    id: 'used',
    header: 'Last used',
    sortBy: ({ last_used_at }) => last_used_at,
    isLargestFirst: true,
    width: '110px',
    cell: ({ last_used_at }) =>
      last_used_at ? <Instant at={last_used_at} /> : <span className={ui.faint}>never</span>,
  },
  {
    id: 'made',
    header: 'Made',
    sortBy: ({ made_at }) => made_at,
    isLargestFirst: true,
    width: '110px',
    isWideOnly: true,
    cell: ({ made_at }) => <Instant at={made_at} />,
  },
  {
    id: 'by',
    header: 'By',
    sortBy: ({ made_by }) => made_by.label,
    width: 'minmax(140px, 1fr)',
    isWideOnly: true,
    cell: ({ made_by }) => <span className={ui.cut}>{made_by.label}</span>,
  },
]

export function KeysPage() {
  const search = keysRoute.useSearch()
  const environment = useEnvironment()
  const navigate = useNavigate()
  const mayWrite = useCan('keys:write')
  const [choice, setChoice] = useColumnChoice('keys')
  const list = useQuery(keysQuery(environment, search.revoked ?? false))
  const { data } = list
  const all = data?.items ?? []
  const rows = all.filter((key) => holds(key, search.q))
  const opened = all.find(({ id }) => id === search.key)
  const go = (change: Partial<KeysSearch>, replace = true): void => {
    void navigate({ to: '/keys', search: (before) => ({ ...before, ...change }), replace })
  }
  return (
    <Page title="Keys" width="full" aside={data && <span className={ui.faint}>{counted(all.length, 'key')}</span>}>
      <div className={toolbar.toolbar}>
        <FindField
          label="Find a key"
          placeholder="Label or prefix"
          text={search.q}
          onText={(found) => go({ q: found })}
        />
        <Switch
          label="With revoked"
          checked={search.revoked ?? false}
          onChange={(event) => go({ revoked: event.currentTarget.checked || undefined })}
        />
        <span className={toolbar.grow} />
        <ColumnMenu columns={columns} choice={choice} onChoice={setChoice} />
        {mayWrite && (
          <Button leftSection={<PlusIcon size={14} />} onClick={() => go({ make: true }, false)}>
            Make a key
          </Button>
        )}
      </div>
      <AbsentNote
        what="key"
        id={search.key}
        isThere={data && opened !== undefined}
        {...(!search.revoked && { hint: 'revoked ones are listed with the switch above' })}
        onClear={() => go({ key: undefined })}
      />
      <Listing
        list={list}
        hasRows={rows.length > 0}
        what="The keys"
        empty={
          all.length > 0 ? (
            <FilteredToNothing what="keys" onClear={() => go({ q: undefined })} />
          ) : (
            <EmptyState
              title={environment ? `No key of ${environment}` : 'No key yet'}
              action={mayWrite && <Button onClick={() => go({ make: true }, false)}>Make a key</Button>}
            >
              Every agent shows a key of one environment; it is what rules, approvals and events are asked and sent
              with.
            </EmptyState>
          )
        }
      >
        <DataTable
          label="Keys"
          columns={columns}
          rows={rows}
          rowId={({ id }) => id}
          choice={choice}
          sort={search.sort}
          onSort={(sort) => go({ sort })}
          openId={search.key}
          onOpen={({ id }) => go({ key: id }, false)}
        />
      </Listing>
      {opened && (
        <KeyDrawer key={opened.id} agentKey={opened} name={nameOf(opened)} onClose={() => go({ key: undefined })} />
      )}
      <MakeKey
        isOpen={(search.make ?? false) && mayWrite}
        environment={environment}
        onClose={() => go({ make: undefined })}
      />
    </Page>
  )
}
