import { Button, SegmentedControl } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useCan, useSession } from '../../api/session.ts'
import { useEnvironment } from '../../frame/environment.ts'
import { Page } from '../../frame/page.tsx'
import { toggled } from '../../ui/data-table/columns.ts'
import { FilterBar } from '../../ui/filters/filter-bar.tsx'
import { useKeys } from '../../ui/keys.ts'
import { EmptyState, Failed, FilteredToNothing, Loading, PartialNote } from '../../ui/list-states.tsx'
import { counted, countWords } from '../../ui/numbers.ts'
import { ApprovalPane } from './approval-pane.tsx'
import { ApprovalRow } from './approval-row.tsx'
import classes from './approvals.module.css'
import { BulkBar } from './bulk-bar.tsx'
import { approvalsQuery } from './queries.ts'
import { approvalsRoute } from './route.ts'
import { filtersOf, isNarrowed, type View, views, withFilters } from './search.ts'
import { useStaying } from './use-staying.ts'

/** The list left, one call right; on a narrow screen one after the other. */
export function ApprovalsPage() {
  const search = approvalsRoute.useSearch()
  const environment = useEnvironment()
  const navigate = useNavigate()
  const { permitted_in: permittedIn } = useSession()
  const mayDecide = (one: { readonly environment: string }): boolean =>
    permittedIn[one.environment]?.includes('approval:decide') ?? false
  const isNarrow = useMediaQuery('(max-width: 1023px)', undefined, { getInitialValueInEffect: false }) ?? false
  const { id: openId } = useParams({ strict: false })
  const { view = 'pending' } = search
  const list = useInfiniteQuery(approvalsQuery(search, environment))
  const found = list.data?.pages.flatMap(({ items }) => items) ?? []
  const items = useStaying(found, JSON.stringify([search, environment]))
  const [first] = items
  const current = openId ?? (isNarrow ? undefined : first?.id)
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const pendingSelected = items.filter(({ id, status }) => selected.has(id) && status === 'pending')
  const total = list.data?.pages[0]?.total ?? 0
  const pending = list.data?.pages[0]?.pending_total ?? 0

  const open = (id: string): void => {
    void navigate({ to: '/approvals/$id', params: { id }, search: (before) => before, replace: openId !== undefined })
  }
  const move = (step: number): void => {
    const at = items.findIndex(({ id }) => id === current)
    const next = items[Math.max(0, Math.min(items.length - 1, at + step))]
    if (next) open(next.id)
  }
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    x: () => {
      const item = items.find(({ id }) => id === current)
      if (item && mayDecide(item)) setSelected(toggled(selected, item.id))
    },
    Escape: () => {
      if (selected.size > 0) setSelected(new Set())
      else if (isNarrow && openId !== undefined) void navigate({ to: '/approvals', search: (before) => before })
    },
  })
  useEffect(() => {
    document.querySelector('[data-approval][aria-current="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [current])

  const setSearch = (next: typeof search): void => {
    void navigate({ to: '/approvals', search: { ...next, environment }, replace: true })
  }
  const isListShown = !isNarrow || openId === undefined
  const words = { pending: 'Held', settled: 'Settled', all: 'All' } satisfies Record<View, string>
  return (
    <Page
      title="Approvals"
      width="full"
      aside={pending > 0 && <span className={classes.waiting}>{counted(pending, 'call')} held</span>}
    >
      <div className={classes.panes}>
        {isListShown && (
          <section className={classes.list} aria-label="Calls">
            <div className={classes.head}>
              <SegmentedControl
                fullWidth
                aria-label="Which calls"
                value={view}
                onChange={(value) => setSearch({ ...search, view: views.find((one) => one === value) })}
                data={views.map((value) => ({
                  value,
                  label: value === 'pending' && pending > 0 ? `${words[value]} ${countWords(pending)}` : words[value],
                }))}
              />
              <FilterBar
                label="Filter the calls"
                placeholder="Filter: agent:  tool:  or words"
                fields={[
                  { name: 'agent', hint: 'who asks', values: distinct(items.map(({ agent_id }) => agent_id)) },
                  { name: 'tool', hint: 'what it calls', values: distinct(items.map(({ tool }) => tool)) },
                ]}
                value={filtersOf(search)}
                onChange={(filters) => setSearch(withFilters(search, filters))}
              />
            </div>
            {list.isError && found.length > 0 && (
              <PartialNote onRetry={() => void list.refetch()}>The list could not be refreshed.</PartialNote>
            )}
            <div className={classes.scroll}>
              {list.isPending && <Loading rowHeight={76} rows={6} />}
              {list.isError && found.length === 0 && (
                <Failed what="The approvals could not be read" error={list.error} onRetry={() => void list.refetch()} />
              )}
              {list.isSuccess && items.length === 0 && (
                <Nothing view={view} isNarrowed={isNarrowed(search)} onClear={() => setSearch({ view })} />
              )}
              <ul className={classes.items}>
                {items.map((item) => (
                  <ApprovalRow
                    key={item.id}
                    item={item}
                    isCurrent={item.id === current}
                    isSelected={selected.has(item.id)}
                    onSelect={mayDecide(item) ? () => setSelected(toggled(selected, item.id)) : undefined}
                  />
                ))}
              </ul>
              {list.hasNextPage && (
                <div className={classes.more}>
                  <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                    Show more of {countWords(total)}
                  </Button>
                </div>
              )}
            </div>
            {pendingSelected.length > 0 && <BulkBar items={pendingSelected} onDone={() => setSelected(new Set())} />}
          </section>
        )}
        {current !== undefined && (!isNarrow || openId !== undefined) && (
          <ApprovalPane key={current} id={current} hasBack={isNarrow} />
        )}
        {current === undefined && !isNarrow && list.isSuccess && <div className={classes.noPane} />}
      </div>
    </Page>
  )
}

type NothingProps = { readonly view: View; readonly isNarrowed: boolean; readonly onClear: () => void }

function Nothing({ view, isNarrowed: isFiltered, onClear }: NothingProps) {
  const navigate = useNavigate()
  const mayReadRulesets = useCan('rulesets:read')
  if (isFiltered) return <FilteredToNothing what="calls" onClear={onClear} />
  if (view !== 'pending') {
    return (
      <EmptyState title="Nothing was decided yet">
        Calls appear here once they were approved, denied, cancelled or ran out of time.
      </EmptyState>
    )
  }
  return (
    <EmptyState
      title="No call is held"
      action={
        mayReadRulesets && (
          <Button variant="default" onClick={() => void navigate({ to: '/rulesets' })}>
            See the rules
          </Button>
        )
      }
    >
      When a rule with <code>action: ask</code> matches, the call waits here for a person, and this list shows it at
      once.
    </EmptyState>
  )
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)].toSorted()
}
