import { Button, Switch } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCan } from '../../api/session.ts'
import { Page } from '../../frame/page.tsx'
import { AbsentNote } from '../../ui/absent-note.tsx'
import { ColumnMenu, useColumnChoice } from '../../ui/data-table/column-menu.tsx'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { FindField } from '../../ui/find-field.tsx'
import { PlusIcon } from '../../ui/icons.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState, FilteredToNothing } from '../../ui/list-states.tsx'
import { Listing } from '../../ui/listing.tsx'
import { useMoment } from '../../ui/now.ts'
import { counted } from '../../ui/numbers.ts'
import toolbar from '../../ui/toolbar.module.css'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import { MakeToken } from './make-token.tsx'
import { tokensQuery } from './queries.ts'
import { tokensRoute } from './route.ts'
import type { TokensSearch } from './search.ts'
import { TokenDrawer } from './token-drawer.tsx'
import type { ApiToken } from './types.ts'
import { holds, isUnused, statusMarks } from './words.ts'

const columns: readonly Column<ApiToken>[] = [
  {
    id: 'name',
    header: 'Name',
    sortBy: ({ name }) => name,
    width: 'minmax(140px, 2fr)',
    isFixed: true,
    cell: ({ name }) => (
      <span className={ui.cut} title={name}>
        {name}
      </span>
    ),
  },
  {
    id: 'status',
    header: 'Status',
    sortBy: ({ status }) => statusMarks[status].word,
    width: '110px',
    isFixed: true,
    cell: ({ status }) => <VerdictBadge {...statusMarks[status]} />,
  },
  {
    id: 'prefix',
    header: 'Token',
    width: '130px',
    isWideOnly: true,
    cell: ({ prefix }) => <code>{prefix}…</code>,
  },
  {
    id: 'permissions',
    header: 'May',
    sortBy: ({ permissions }) => permissions.length,
    isLargestFirst: true,
    width: '120px',
    isWideOnly: true,
    cell: ({ permissions }) => <span title={permissions.join(', ')}>{counted(permissions.length, 'permission')}</span>,
  },
  {
    id: 'where',
    header: 'Where',
    width: 'minmax(110px, 1fr)',
    isWideOnly: true,
    cell: ({ environments }) => <span className={ui.cut}>{environments?.join(', ') ?? 'everywhere'}</span>,
  },
  {
    id: 'used',
    header: 'Last used',
    sortBy: ({ last_used_at }) => last_used_at,
    isLargestFirst: true,
    width: '140px',
    cell: (token) => <LastUse token={token} />,
  },
  {
    id: 'ends',
    header: 'Ends',
    sortBy: ({ expires_at }) => expires_at,
    width: '100px',
    isWideOnly: true,
    cell: ({ expires_at }) => (expires_at ? <Instant at={expires_at} /> : <span className={ui.faint}>never</span>),
  },
  {
    id: 'owner',
    header: 'Owner',
    sortBy: ({ owner }) => owner.label,
    width: 'minmax(130px, 1fr)',
    isWideOnly: true,
    cell: ({ owner }) => <span className={ui.cut}>{owner.label}</span>,
  },
]

function LastUse({ token }: { readonly token: ApiToken }) {
  const now = useMoment()
  return (
    <>
      {token.last_used_at ? <Instant at={token.last_used_at} /> : <span className={ui.faint}>never</span>}
      {isUnused(token, now) && (
        <span className={ui.care} title="No call for 90 days: does anything still need it?">
          unused
        </span>
      )}
    </>
  )
}

export function TokensPage() {
  const search = tokensRoute.useSearch()
  const navigate = useNavigate()
  const mayWrite = useCan('tokens:write')
  const [choice, setChoice] = useColumnChoice('tokens')
  const list = useQuery(tokensQuery(search.revoked ?? false))
  const all = list.data?.items ?? []
  const rows = all.filter((token) => holds(token, search.q))
  const opened = all.find(({ id }) => id === search.token)
  const go = (change: Partial<TokensSearch>, replace = true): void => {
    void navigate({ to: '/tokens', search: ({ environment }) => ({ environment, ...search, ...change }), replace })
  }
  return (
    <Page
      title="API tokens"
      width="full"
      aside={list.data && <span className={ui.faint}>{counted(all.length, 'token')}</span>}
    >
      <div className={toolbar.toolbar}>
        <FindField
          label="Find a token"
          placeholder="Name, token or owner"
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
            Make a token
          </Button>
        )}
      </div>
      <AbsentNote
        what="token"
        id={search.token}
        isThere={list.data && opened !== undefined}
        {...(!search.revoked && { hint: 'revoked ones are listed with the switch above' })}
        onClear={() => go({ token: undefined })}
      />
      <Listing
        list={list}
        hasRows={rows.length > 0}
        what="The tokens"
        empty={
          all.length > 0 ? (
            <FilteredToNothing what="tokens" onClear={() => go({ q: undefined })} />
          ) : (
            <EmptyState
              title="No API token yet"
              action={mayWrite && <Button onClick={() => go({ make: true }, false)}>Make a token</Button>}
            >
              Pipelines and programs call the API with a token of their own permissions, never with a person’s.
            </EmptyState>
          )
        }
      >
        <DataTable
          label="API tokens"
          columns={columns}
          rows={rows}
          rowId={({ id }) => id}
          choice={choice}
          sort={search.sort}
          onSort={(sort) => go({ sort })}
          openId={search.token}
          onOpen={({ id }) => go({ token: id }, false)}
        />
      </Listing>
      {opened && <TokenDrawer key={opened.id} token={opened} onClose={() => go({ token: undefined })} />}
      {(search.make ?? false) && mayWrite && <MakeToken onClose={() => go({ make: undefined })} />}
    </Page>
  )
}
