import { useComputedColorScheme } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useEffect, useMemo, useRef } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import classes from './histogram.module.css'
import { type Bucket, series, seriesColors, stacked } from './stack.ts'

type Props = {
  readonly buckets: readonly Bucket[]
  readonly bucketMs: number
  readonly height: number
  readonly cursor: number | null
  readonly anchor: number | null
  readonly onCursor: (index: number | null) => void
  readonly onBrush?: (from: number, to: number) => void
}

/** The canvas; what is around it, keys and words, is the histogram's. */
export function Chart({ buckets, bucketMs, height, cursor, anchor, onCursor, onBrush }: Props) {
  const { ref, width } = useElementSize<HTMLDivElement>()
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot>(undefined)
  const scheme = useComputedColorScheme('light')
  const told = useRef({ onCursor, onBrush })
  told.current = { onCursor, onBrush }
  const data = useMemo((): UPlot.AlignedData => {
    const { times, sums } = stacked(buckets)
    // The tallest layer is drawn first, the ones below over it.
    return [times, ...sums.toReversed()]
  }, [buckets])

  useEffect(() => {
    const element = place.current
    if (!element || width === 0) return
    const color = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--cs-${name}`)
    const bars = UPlot.paths.bars?.({ size: [0.86, 64], align: 1 })
    // The time of day alone would name several moments.
    const isOverDays = bucketMs >= 7_200_000
    const chart = new UPlot(
      {
        width,
        height,
        padding: [6, 0, 0, 0],
        legend: { show: false },
        cursor: {
          y: false,
          x: false,
          points: { show: false },
          drag: { x: told.current.onBrush !== undefined, y: false, setScale: false },
        },
        scales: {
          x: { time: true, range: (_, low, high) => [low, high + bucketMs / 1000] },
          y: { range: (_, __, high) => [0, Math.max(1, high)] },
        },
        axes: [
          {
            stroke: color('text-3'),
            font: '11px "Inter Variable", sans-serif',
            size: 24,
            gap: 4,
            grid: { show: false },
            ticks: { show: false },
            values: labelsWithin(isOverDays ? '{D} {MMM} {HH}:{mm}' : '{HH}:{mm}'),
            space: isOverDays ? 110 : 70,
          },
          { show: false },
        ],
        series: [
          {},
          ...series.toReversed().map((one) => ({
            fill: color(seriesColors[one]),
            stroke: color(seriesColors[one]),
            width: 0,
            points: { show: false },
            ...(bars && { paths: bars }),
          })),
        ],
        hooks: {
          setCursor: [({ cursor: { idx, left = -1 } }) => told.current.onCursor(left < 0 ? null : (idx ?? null))],
          setSelect: [
            (self) => {
              if (self.select.width < 4) return
              const from = self.posToIdx(self.select.left)
              const to = self.posToIdx(self.select.left + self.select.width)
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
              told.current.onBrush?.(from, to)
            },
          ],
        },
      },
      data,
      element,
    )
    plot.current = chart
    return () => chart.destroy()
    // New data is handed to the chart below, without building it again.
  }, [width, height, scheme, bucketMs])

  useEffect(() => plot.current?.setData(data), [data])

  const at = (index: number | null): number => (index === null ? 0 : (data[0][index] ?? 0))
  const chart = plot.current
  const left = chart && cursor !== null ? chart.valToPos(Math.min(at(anchor ?? cursor), at(cursor)), 'x') : 0
  const right =
    chart && cursor !== null ? chart.valToPos(Math.max(at(anchor ?? cursor), at(cursor)) + bucketMs / 1000, 'x') : 0
  return (
    <div ref={ref} className={classes.canvas}>
      <div ref={place} />
      {cursor !== null && <div className={classes.cursor} style={{ left, width: Math.max(2, right - left) }} />}
    </div>
  )
}

/** Words for the axis; none where the edge would cut them. */
function labelsWithin(template: string): (plot: UPlot, splits: readonly number[]) => string[] {
  const words = UPlot.fmtDate(template)
  return (plot, splits) =>
    splits.map((seconds) => {
      const text = words(new Date(seconds * 1000))
      const half = text.length * 3.2
      const at = plot.valToPos(seconds, 'x')
      return at < half || at > plot.width - half ? '' : text
    })
}
