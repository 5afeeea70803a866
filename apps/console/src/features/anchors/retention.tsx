import type { RetentionState } from '@countersign/wire'
import { useQuery } from '@tanstack/react-query'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { Notice } from '../../ui/notice.tsx'
import { counted, countWords } from '../../ui/numbers.ts'
import ui from '../../ui/ui.module.css'
import classes from './anchors.module.css'
import { Holds } from './holds.tsx'
import { removalsQuery, retentionQuery } from './queries.ts'

/** How long entries are kept, what goes next, and what keeps them longer. */
export function Retention() {
  const state = useQuery(retentionQuery)
  return (
    <div className={classes.summary}>
      {state.data?.error && (
        <Notice tone="bad" title="Expired entries could not be removed">
          {state.data.error} They stay until it works; it is tried again by itself.
        </Notice>
      )}
      <div className={classes.columns}>
        <section aria-label="Retention">
          <h2>Retention</h2>
          {state.isPending && <Loading rows={2} />}
          {state.isError && !state.data && (
            <Failed what="The retention could not be read" error={state.error} onRetry={() => void state.refetch()} />
          )}
          {state.data && <Policy state={state.data} />}
        </section>
        <Holds />
      </div>
    </div>
  )
}

function Policy({ state }: { readonly state: RetentionState }) {
  if (!state.is_on) {
    return (
      <p className={ui.quiet}>
        Entries are kept for ever. With <code>COUNTERSIGN_LOG_RETENTION_DAYS</code> and a bucket for anchors, older ones
        are archived there under a lock and then removed; their hashes and a signed stub stay, so that every proof
        holds.
      </p>
    )
  }
  return (
    <Facts>
      <Fact name="Kept for">{counted(state.days ?? 0, 'day')} at least</Fact>
      <Fact name="Next">{nextWords(state.next)}</Fact>
      <Fact name="Removed">{state.removed === 0 ? 'nothing yet' : <Removed count={state.removed} />}</Fact>
    </Facts>
  )
}

function Removed({ count }: { readonly count: number }) {
  const removals = useQuery(removalsQuery)
  const [last] = removals.data?.items ?? []
  return (
    <>
      {counted(count, 'entry', 'entries')}
      {last && (
        <>
          , the last of them{' '}
          <span className={ui.faint}>
            {countWords(last.first)} to {countWords(last.last)}
          </span>{' '}
          <Instant at={last.removed_at} />
          <CopyButton text={last.archive_key} what="where their archive lies" />
        </>
      )}
    </>
  )
}

function nextWords(next: RetentionState['next']) {
  if (next === null) return 'unknown'
  if (!('first' in next)) {
    return next.is === 'unanchored' ? 'what comes next waits for an anchor' : 'nothing; entries go 256 at a time'
  }
  const span = `entries ${countWords(next.first)} to ${countWords(next.last)}`
  if (next.is === 'held') return `${span} have expired and are held`
  if (next.is === 'due') return `${span}, within minutes`
  return (
    <>
      {span}, <Instant at={next.due_at} />
    </>
  )
}
