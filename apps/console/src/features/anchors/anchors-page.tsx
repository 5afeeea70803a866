import type { AnchorShown } from '@countersign/wire'
import { Button } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCallback } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useCan } from '../../api/session.ts'
import { Page } from '../../frame/page.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { Listing } from '../../ui/listing.tsx'
import { counted, countWords } from '../../ui/numbers.ts'
import { tell, tellFailure } from '../../ui/tell.tsx'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import { AnchorDrawer } from './anchor-drawer.tsx'
import { AnchoringSummary } from './anchoring-summary.tsx'
import classes from './anchors.module.css'
import { anchoringQuery, anchorsQuery } from './queries.ts'
import { Retention } from './retention.tsx'
import { anchorsRoute } from './route.ts'
import { anchorMark, variablesText } from './words.ts'

const columns: readonly Column<AnchorShown>[] = [
  {
    id: 'sequence',
    header: 'Anchor',
    width: '70px',
    align: 'end',
    isFixed: true,
    cell: ({ sequence }) => <span className={ui.faint}>{countWords(sequence)}</span>,
  },
  { id: 'made', header: 'When', width: '90px', isFixed: true, cell: ({ made_at }) => <Instant at={made_at} /> },
  {
    id: 'state',
    header: 'State',
    width: '110px',
    isFixed: true,
    cell: (row) => <VerdictBadge {...anchorMark(row)} />,
  },
  {
    id: 'covers',
    header: 'Covers',
    width: 'minmax(120px, 1fr)',
    isWideOnly: true,
    cell: ({ size, first_number }) => (
      <span className={ui.cut}>
        {counted(size, 'entry', 'entries')}
        <span className={ui.faint}> · {countWords(size - first_number)} new</span>
      </span>
    ),
  },
  {
    id: 'object',
    header: 'Object',
    width: 'minmax(200px, 3fr)',
    isWideOnly: true,
    cell: ({ key, error }) =>
      error === null ? (
        <code className={ui.cutMono} title={key}>
          {key}
        </code>
      ) : (
        <span className={ui.care} title={error}>
          {error}
        </span>
      ),
  },
  {
    id: 'locked',
    header: 'Locked until',
    width: '120px',
    isWideOnly: true,
    cell: ({ locked_until }) =>
      locked_until ? <Instant at={locked_until} /> : <span className={ui.faint}>not yet</span>,
  },
]

export function AnchorsPage() {
  const state = useQuery(anchoringQuery)
  const isOn = state.data?.anchoring.is_on === true
  return (
    <Page title="Checkpoints & anchors" width="full">
      <div className={classes.page}>
        {state.isPending && <Loading rows={4} />}
        {state.isError && !state.data && (
          <Failed what="The checkpoints could not be read" error={state.error} onRetry={() => void state.refetch()} />
        )}
        {state.data && <AnchoringSummary state={state.data} act={<AnchorNow />} />}
        {state.data && <Retention />}
        {state.data && (isOn ? <AnchorList /> : <HowToAnchor />)}
      </div>
    </Page>
  )
}

function AnchorNow() {
  const client = useQueryClient()
  const mayManage = useCan('trail:manage')
  const write = useMutation({
    mutationFn: () => api.post<{ readonly is: 'written' | 'nothing_new' }>('/trail/anchors'),
    onSuccess: ({ is }) =>
      is === 'written'
        ? tell('The trail is anchored', 'The store has locked its newest checkpoint.')
        : tell('Nothing is new', 'The last anchor covers every signed entry.'),
    onError: (failure) => tellFailure('The trail was not anchored', wordsFor(failure)),
    onSettled: () => client.invalidateQueries({ queryKey: ['anchors'] }),
  })
  if (!mayManage) return null
  return (
    <Button variant="default" size="compact-sm" loading={write.isPending} onClick={() => write.mutate()}>
      Anchor now
    </Button>
  )
}

function AnchorList() {
  const { anchor } = anchorsRoute.useSearch()
  const navigate = useNavigate()
  const list = useInfiniteQuery(anchorsQuery)
  const rows = list.data?.pages.flatMap(({ items }) => items) ?? []
  const open = (sequence: number | undefined): void => {
    void navigate({
      to: '/anchors',
      search: ({ environment }) => ({ environment, ...(sequence !== undefined && { anchor: sequence }) }),
    })
  }
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, fetchNextPage])
  const shown = rows.find(({ sequence }) => sequence === anchor)
  return (
    <div className={classes.list}>
      <Listing
        list={list}
        hasRows={rows.length > 0}
        what="The anchors"
        empty={
          <p className={classes.first}>
            The first anchor is written within a minute of the first signed entry. Until then this list is empty.
          </p>
        }
      >
        <DataTable
          label="Anchors"
          columns={columns}
          rows={rows}
          rowId={({ sequence }) => String(sequence)}
          openId={anchor === undefined ? undefined : String(anchor)}
          onOpen={({ sequence }) => open(sequence)}
          onEnd={onEnd}
          footer={isFetchingNextPage ? 'Reading earlier anchors' : hasNextPage ? null : 'The chain begins here.'}
        />
      </Listing>
      {shown && <AnchorDrawer anchor={shown} onClose={() => open(undefined)} />}
    </div>
  )
}

/** Shown while anchoring is off: what it is for, and how to have it. */
function HowToAnchor() {
  return (
    <section className={classes.teach} aria-label="How to anchor the trail">
      <h2>The trail is not anchored</h2>
      <p>
        Whoever owns the database can cut off the end of the record or put back an older one, and everything in it still
        agrees. A signed checkpoint in a bucket with Object Lock, where nobody can delete it for its whole time, makes
        that visible. Make a bucket with Object Lock, start the server with these variables, and the first anchor is
        there within a minute:
      </p>
      <div className={classes.snippet}>
        <pre>{variablesText}</pre>
        <CopyButton text={variablesText} what="the variables" />
      </div>
      <p>
        Until then keep a checkpoint and the key elsewhere from time to time. Both are above, ready to be copied;{' '}
        <code>countersign trail verify --checkpoint</code> holds the record against them.
      </p>
    </section>
  )
}
