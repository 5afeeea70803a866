import { type KeyboardEvent, lazy, Suspense, useState } from 'react'
import { countWords } from '../numbers.ts'
import classes from './histogram.module.css'
import {
  type Bucket,
  type Counts,
  rangeOf,
  type Series,
  series,
  seriesColors,
  seriesWords,
  sumOf,
  totalOf,
} from './stack.ts'

const Chart = lazy(() => import('./chart.tsx').then(({ Chart }) => ({ default: Chart })))

type Props = {
  readonly label: string
  readonly buckets: readonly Bucket[]
  /** How much time a bucket is. */
  readonly bucketMs: number
  readonly height?: number
  /** Other words for the colours, where they count something else than calls as they ended. */
  readonly words?: Partial<Record<Series, string>>
  readonly onZoom?: (range: { readonly since: string; readonly until: string }) => void
}

const clock = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})

/** Counts by verdict over time. Drag to zoom; or arrows to walk the bars, Shift to widen, Enter to zoom. */
export function Histogram({ label, buckets, bucketMs, height = 96, words, onZoom }: Props) {
  const [cursor, setCursor] = useState<number | null>(null)
  const [anchor, setAnchor] = useState<number | null>(null)
  const bucket = cursor === null ? undefined : buckets[cursor]
  const zoom = (from: number, to: number): void => {
    const range = rangeOf(buckets, from, to, bucketMs)
    if (range && onZoom) onZoom(range)
  }
  const onKey = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step !== undefined) {
      const next = Math.max(0, Math.min(buckets.length - 1, (cursor ?? (step > 0 ? -1 : buckets.length)) + step))
      setAnchor(event.shiftKey ? (anchor ?? cursor) : null)
      setCursor(next)
    } else if (event.key === 'Enter' && cursor !== null) {
      zoom(anchor ?? cursor, cursor)
    } else if (event.key === 'Escape' && cursor !== null) {
      setCursor(null)
      setAnchor(null)
    } else return
    event.preventDefault()
  }
  const total = totalOf(sumOf(buckets))
  return (
    <div className={classes.histogram}>
      <div
        className={classes.plot}
        style={{ height }}
        role="application"
        aria-roledescription="histogram"
        aria-label={`${label}: ${countWords(total)} in ${buckets.length} bars. Arrow keys read the bars${onZoom ? ', Enter zooms' : ''}.`}
        tabIndex={0}
        onKeyDown={onKey}
        onBlur={() => setCursor(null)}
      >
        <Suspense fallback={null}>
          <Chart
            buckets={buckets}
            bucketMs={bucketMs}
            height={height}
            cursor={cursor}
            anchor={anchor}
            onCursor={setCursor}
            onBrush={onZoom && zoom}
          />
        </Suspense>
      </div>
      <div className={classes.legend} aria-live="polite">
        {bucket ? (
          <>
            <span className={classes.when}>{clock.format(Date.parse(bucket.at))}</span>
            <Legend counts={bucket} words={words} />
          </>
        ) : (
          <Legend counts={sumOf(buckets)} words={words} />
        )}
      </div>
    </div>
  )
}

function Legend({ counts, words }: { readonly counts: Counts } & Pick<Props, 'words'>) {
  return series.toReversed().map((one) =>
    counts[one] === 0 ? null : (
      <span key={one} className={classes.key}>
        <span className={classes.swatch} style={{ background: `var(--cs-${seriesColors[one]})` }} />
        {words?.[one] ?? seriesWords[one]} <b>{countWords(counts[one])}</b>
      </span>
    ),
  )
}
