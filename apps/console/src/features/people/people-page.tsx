import { Button, Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCan } from '../../api/session.ts'
import { Page } from '../../frame/page.tsx'
import { ColumnMenu, useColumnChoice } from '../../ui/data-table/column-menu.tsx'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { FindField } from '../../ui/find-field.tsx'
import { PlusIcon } from '../../ui/icons.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState, FilteredToNothing } from '../../ui/list-states.tsx'
import { Listing } from '../../ui/listing.tsx'
import { counted, countWords } from '../../ui/numbers.ts'
import toolbar from '../../ui/toolbar.module.css'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import { InviteDrawer } from './invite-drawer.tsx'
import { peopleQuery } from './queries.ts'
import { peopleRoute } from './route.ts'
import { type PeopleSearch, personStatuses } from './search.ts'
import type { Person } from './types.ts'
import { factorsWords, holds, rolesWords, standingMarks } from './words.ts'

const columns: readonly Column<Person>[] = [
  {
    id: 'person',
    header: 'Person',
    sortBy: nameOf,
    width: 'minmax(150px, 2fr)',
    isFixed: true,
    cell: ({ name, email, is_you }) => (
      <>
        <span className={ui.cut} title={email}>
          {nameOf({ name, email })}
        </span>
        {is_you && <span className={ui.word}>you</span>}
      </>
    ),
  },
  {
    id: 'address',
    header: 'Address',
    sortBy: ({ email }) => email,
    width: 'minmax(150px, 1.4fr)',
    isWideOnly: true,
    cell: ({ email }) => <span className={ui.cut}>{email}</span>,
  },
  {
    id: 'roles',
    header: 'Roles',
    sortBy: ({ roles }) => rolesWords(roles) || null,
    width: 'minmax(110px, 1.4fr)',
    isFixed: true,
    cell: ({ roles }) => <span className={ui.cut}>{rolesWords(roles)}</span>,
  },
  {
    id: 'standing',
    header: 'Status',
    sortBy: ({ status }) => standingMarks[status].word,
    width: '120px',
    isFixed: true,
    cell: ({ status }) => <VerdictBadge {...standingMarks[status]} />,
  },
  {
    id: 'signs',
    header: 'Signs in with',
    width: 'minmax(120px, 1fr)',
    isWideOnly: true,
    cell: (person) => <span className={ui.quiet}>{waysOf(person)}</span>,
  },
  {
    id: 'factors',
    header: 'Second factor',
    sortBy: ({ factors }) => factors.length,
    isLargestFirst: true,
    width: 'minmax(130px, 1fr)',
    isWideOnly: true,
    cell: ({ factors }) =>
      factors.length === 0 ? (
        <span className={ui.faint}>none</span>
      ) : (
        <span className={ui.cut}>{factorsWords(factors)}</span>
      ),
  },
  {
    id: 'sessions',
    header: 'Sessions',
    sortBy: ({ sessions }) => sessions,
    isLargestFirst: true,
    width: '90px',
    isWideOnly: true,
    cell: ({ sessions }) => countWords(sessions),
  },
  {
    id: 'seen',
    header: 'Signed in',
    sortBy: ({ last_signed_in_at }) => last_signed_in_at,
    isLargestFirst: true,
    width: '110px',
    isWideOnly: true,
    cell: ({ last_signed_in_at }) =>
      last_signed_in_at ? <Instant at={last_signed_in_at} /> : <span className={ui.faint}>never</span>,
  },
  {
    id: 'made',
    header: 'Since',
    sortBy: ({ made_at }) => made_at,
    isLargestFirst: true,
    width: '100px',
    isWideOnly: true,
    cell: ({ made_at }) => <Instant at={made_at} />,
  },
]

function nameOf({ name, email }: Pick<Person, 'name' | 'email'>): string {
  return name === '' ? email : name
}

function waysOf({ has_password, identities }: Person): string {
  return [...(has_password ? ['password'] : []), ...identities.map(({ provider }) => provider)].join(', ')
}

export function PeoplePage() {
  const search = peopleRoute.useSearch()
  const navigate = useNavigate()
  const mayWrite = useCan('people:write')
  const [choice, setChoice] = useColumnChoice('people')
  const list = useQuery(peopleQuery)
  const all = list.data?.items ?? []
  const rows = all.filter(
    (person) =>
      holds(person, search.q) &&
      (search.standing === undefined || person.status === search.standing) &&
      (search.role === undefined || person.roles.some(({ role }) => role === search.role)),
  )
  const go = (change: Partial<PeopleSearch>, replace = true): void => {
    void navigate({
      to: '/people',
      search: ({ environment }) => ({ environment, ...search, ...change }),
      replace,
    })
  }
  const roles = [...new Set(all.flatMap((person) => person.roles.map(({ role }) => role)))].toSorted()
  return (
    <Page
      title="People"
      width="full"
      aside={list.data && <span className={ui.faint}>{counted(all.length, 'person', 'people')}</span>}
    >
      <div className={toolbar.toolbar}>
        <FindField
          label="Find a person"
          placeholder="Name or address"
          text={search.q}
          onText={(found) => go({ q: found })}
        />
        <Select
          aria-label="Status"
          className={toolbar.choice}
          placeholder="Any status"
          clearable
          clearButtonProps={{ 'aria-label': 'Any status' }}
          data={personStatuses.map((one) => ({ value: one, label: standingMarks[one].word }))}
          value={search.standing ?? null}
          onChange={(value) => go({ standing: personStatuses.find((one) => one === value) })}
        />
        <Select
          aria-label="Role"
          className={toolbar.choice}
          placeholder="Any role"
          clearable
          clearButtonProps={{ 'aria-label': 'Any role' }}
          data={[...new Set([...roles, ...(search.role === undefined ? [] : [search.role])])]}
          value={search.role ?? null}
          onChange={(value) => go({ role: value ?? undefined })}
        />
        <span className={toolbar.grow} />
        <ColumnMenu columns={columns} choice={choice} onChoice={setChoice} />
        {mayWrite && (
          <Button leftSection={<PlusIcon size={14} />} onClick={() => go({ invite: true }, false)}>
            Invite
          </Button>
        )}
      </div>
      <Listing
        list={list}
        hasRows={rows.length > 0}
        what="The people"
        empty={
          all.length > 0 ? (
            <FilteredToNothing
              what="people"
              onClear={() => go({ q: undefined, standing: undefined, role: undefined })}
            />
          ) : (
            <EmptyState title="Nobody yet">Whoever is invited is listed here with what they may do.</EmptyState>
          )
        }
      >
        <DataTable
          label="People"
          columns={columns}
          rows={rows}
          rowId={({ id }) => id}
          choice={choice}
          sort={search.sort}
          onSort={(sort) => go({ sort })}
          onOpen={({ id }) =>
            void navigate({ to: '/people/$id', params: { id }, search: ({ environment }) => ({ environment }) })
          }
        />
      </Listing>
      {(search.invite ?? false) && mayWrite && <InviteDrawer onClose={() => go({ invite: undefined })} />}
    </Page>
  )
}
