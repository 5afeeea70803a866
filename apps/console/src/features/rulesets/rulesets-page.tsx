import type { RulesetSummary } from '@countersign/wire'
import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useCan, useEnvironments } from '../../api/session.ts'
import { useEnvironment } from '../../frame/environment.ts'
import { Page } from '../../frame/page.tsx'
import { ColumnMenu, useColumnChoice } from '../../ui/data-table/column-menu.tsx'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { FindField } from '../../ui/find-field.tsx'
import { PlusIcon } from '../../ui/icons.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState, FilteredToNothing } from '../../ui/list-states.tsx'
import { Listing } from '../../ui/listing.tsx'
import { counted } from '../../ui/numbers.ts'
import { RevisionChip } from '../../ui/revision-chip.tsx'
import toolbar from '../../ui/toolbar.module.css'
import ui from '../../ui/ui.module.css'
import { LiveTags } from './live-tags.tsx'
import { NewRuleset } from './new-ruleset.tsx'
import { rulesetsQuery } from './queries.ts'
import { rulesetsRoute } from './route.ts'
import classes from './rulesets.module.css'

export function RulesetsPage() {
  const search = rulesetsRoute.useSearch()
  const mayWrite = useCan('rulesets:write')
  return search.new && mayWrite ? <NewRuleset /> : <List />
}

function List() {
  const { q, sort } = rulesetsRoute.useSearch()
  const environment = useEnvironment()
  const environments = useEnvironments()
  const navigate = useNavigate()
  const mayWrite = useCan('rulesets:write')
  const [choice, setChoice] = useColumnChoice('rulesets')
  const list = useQuery(rulesetsQuery)
  const { data } = list
  const all = data?.items ?? []
  const rows = all.filter((one) => holds(one, q))
  const columns = columnsFor(
    environment,
    environments.map(({ name }) => name),
  )
  const begin = (): void => {
    void navigate({ to: '/rulesets', search: (before) => ({ ...before, new: true }) })
  }
  return (
    <Page
      title="Rulesets"
      width="full"
      aside={data && <span className={ui.faint}>{counted(all.length, 'ruleset')}</span>}
    >
      <div className={toolbar.toolbar}>
        <FindField
          label="Find a ruleset"
          placeholder="Name or description"
          text={q}
          onText={(found) =>
            void navigate({ to: '/rulesets', search: (before) => ({ ...before, q: found }), replace: true })
          }
        />
        <span className={toolbar.grow} />
        <ColumnMenu columns={columns} choice={choice} onChoice={setChoice} />
        {mayWrite && (
          <Button leftSection={<PlusIcon size={14} />} onClick={begin}>
            New ruleset
          </Button>
        )}
      </div>
      <Listing
        list={list}
        hasRows={rows.length > 0}
        what="The rulesets"
        empty={
          all.length > 0 ? (
            <FilteredToNothing
              what="rulesets"
              onClear={() => void navigate({ to: '/rulesets', search: (before) => ({ ...before, q: undefined }) })}
            />
          ) : (
            <EmptyState
              title="No ruleset yet"
              action={mayWrite && <Button onClick={begin}>Write the first one</Button>}
            >
              A ruleset says which calls agents may make, which are blocked and which wait for a person. Agents get it
              once it is rolled out to their environment.
            </EmptyState>
          )
        }
      >
        <DataTable
          label="Rulesets"
          columns={columns}
          rows={rows}
          rowId={({ name }) => name}
          choice={choice}
          sort={sort}
          onSort={(next) =>
            void navigate({ to: '/rulesets', search: (before) => ({ ...before, sort: next }), replace: true })
          }
          onOpen={({ name }) =>
            void navigate({
              to: '/rulesets/$name',
              params: { name },
              search: ({ environment: kept }) => ({ environment: kept }),
            })
          }
        />
      </Listing>
    </Page>
  )
}

function columnsFor(
  environment: string | undefined,
  environments: readonly string[],
): readonly Column<RulesetSummary>[] {
  return [
    {
      id: 'name',
      header: 'Ruleset',
      sortBy: ({ name }) => name,
      width: 'minmax(170px, 1.1fr)',
      isFixed: true,
      cell: ({ name }) => (
        <Link
          to="/rulesets/$name"
          params={{ name }}
          search={({ environment: kept }) => ({ environment: kept })}
          className={classes.name}
        >
          {name}
        </Link>
      ),
    },
    {
      id: 'live',
      header: environment === undefined ? 'Live in' : `Live in ${environment}`,
      width: 'minmax(220px, 1.6fr)',
      isFixed: true,
      cell: ({ live, latest }) => (
        <LiveTags
          live={live
            .filter((one) => environment === undefined || one.environment === environment)
            .toSorted((a, b) => environments.indexOf(a.environment) - environments.indexOf(b.environment))}
          latest={latest.version}
        />
      ),
    },
    {
      id: 'latest',
      header: 'Latest',
      width: '150px',
      isWideOnly: true,
      cell: ({ latest }) => <RevisionChip hash={latest.hash} version={latest.version} />,
    },
    {
      id: 'rules',
      header: 'Rules',
      sortBy: ({ latest }) => latest.rule_count,
      isLargestFirst: true,
      width: '64px',
      align: 'end',
      isWideOnly: true,
      cell: ({ latest }) => latest.rule_count,
    },
    {
      id: 'description',
      header: 'Description',
      width: 'minmax(160px, 1.6fr)',
      isWideOnly: true,
      cell: ({ description }) => <span className={ui.cutFaint}>{description ?? ''}</span>,
    },
    {
      id: 'changed',
      header: 'Changed',
      sortBy: ({ latest }) => latest.uploaded_at,
      isLargestFirst: true,
      width: '110px',
      isWideOnly: true,
      cell: ({ latest }) => <Instant at={latest.uploaded_at} />,
    },
    {
      id: 'by',
      header: 'By',
      sortBy: ({ latest }) => latest.uploaded_by.label,
      width: 'minmax(130px, 1fr)',
      isWideOnly: true,
      cell: ({ latest }) => <span className={ui.cut}>{latest.uploaded_by.label}</span>,
    },
  ]
}

function holds({ name, description }: RulesetSummary, words: string | undefined): boolean {
  const sought = (words ?? '').trim().toLowerCase()
  return [name, description ?? ''].some((text) => text.toLowerCase().includes(sought))
}
