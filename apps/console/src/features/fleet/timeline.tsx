import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import ui from '../../ui/ui.module.css'
import classes from './fleet.module.css'
import { agentHistoryQuery } from './queries.ts'
import { historyWords } from './words.ts'

type Props = { readonly environment: string; readonly agent: string }

/** What became of an agent, newest first. */
export function Timeline({ environment, agent }: Props) {
  const { data, error, isPending, isError, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    agentHistoryQuery(environment, agent),
  )
  // What an agent ran is dated by its own word, so it may belong before what was heard of earlier.
  const entries = (data?.pages.flatMap(({ items }) => items) ?? []).toSorted((a, b) => b.at.localeCompare(a.at))
  if (isPending) return <Loading rows={4} />
  if (isError && entries.length === 0)
    return <Failed what="The timeline could not be read" error={error} onRetry={() => void refetch()} />
  if (entries.length === 0)
    return (
      <p className={ui.quiet}>Nothing yet: connections, revisions and assignments are listed here as they happen.</p>
    )
  return (
    <>
      <ol className={classes.timeline}>
        {entries.map((entry) => (
          <li key={entry.id} data-kind={entry.kind}>
            <span className={classes.when}>
              <Instant at={entry.at} />
            </span>
            <span>{historyWords(entry)}</span>
          </li>
        ))}
      </ol>
      {hasNextPage && (
        <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Earlier
        </Button>
      )}
    </>
  )
}
