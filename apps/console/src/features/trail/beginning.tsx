import { useQuery } from '@tanstack/react-query'
import { Instant } from '../../ui/instant.tsx'
import { counted, countWords } from '../../ui/numbers.ts'
import { removedQuery } from './queries.ts'
import classes from './trail.module.css'

/** What comes before the oldest entry shown: nothing, or what was archived and removed after its time. */
export function Beginning() {
  const { data } = useQuery(removedQuery)
  if (!data || data.items.length === 0) return 'This is the beginning.'
  return (
    <div className={classes.removed}>
      {data.items.map(({ first, last, removed_at, bucket, archive_key }) => (
        <p key={first}>
          Entries {countWords(first)} to {countWords(last)} were archived <Instant at={removed_at} form="exact" /> to{' '}
          <code>
            {bucket}/{archive_key}
          </code>
          . Their hashes stay, so every proof still holds.
        </p>
      ))}
      {data.next_cursor !== null && <p>So were earlier ones; {counted(data.items.length, 'span')} are shown.</p>}
    </div>
  )
}
