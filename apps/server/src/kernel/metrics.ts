import type { Counter as CounterType, Gauge as GaugeType, Histogram as HistogramType } from 'prom-client'
import { Counter, Gauge, Histogram, Registry } from './prom-client-parts.ts'

/** What `/metrics` prints. Names begin with `countersign_`, times are in seconds. */
export type Metrics = {
  readonly counter: (name: string, help: string, labels?: readonly string[]) => CounterType
  readonly gauge: (name: string, help: string, read: () => number | Promise<number>) => void
  /** One value for each name `read` answers, such as each worker's. */
  readonly gauges: (name: string, help: string, label: string, read: () => Readonly<Record<string, number>>) => void
  readonly histogram: (
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly string[],
  ) => HistogramType
  /** Called each time before the values are printed, for those who count by themselves in between. */
  readonly beforePrint: (bringUpToDate: () => void) => void
  readonly print: () => Promise<string>
  readonly contentType: string
}

export function makeMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const beforehand: (() => void)[] = []
  return {
    counter: (name, help, labels = []) =>
      new Counter({ name: `countersign_${name}`, help, labelNames: [...labels], registers }),
    gauge: (name, help, read) => {
      const gauge: GaugeType = new Gauge({
        name: `countersign_${name}`,
        help,
        registers,
        collect: async () => {
          gauge.set(await read())
        },
      })
    },
    gauges: (name, help, label, read) => {
      const gauge: GaugeType = new Gauge({
        name: `countersign_${name}`,
        help,
        labelNames: [label],
        registers,
        collect: () => {
          gauge.reset()
          for (const [key, value] of Object.entries(read())) gauge.set({ [label]: key }, value)
        },
      })
    },
    histogram: (name, help, buckets, labels = []) =>
      new Histogram({ name: `countersign_${name}`, help, buckets: [...buckets], labelNames: [...labels], registers }),
    beforePrint: (bringUpToDate) => {
      beforehand.push(bringUpToDate)
    },
    print: () => {
      for (const bringUpToDate of beforehand) bringUpToDate()
      return registry.metrics()
    },
    contentType: registry.contentType,
  }
}
