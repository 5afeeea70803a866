import type { Metrics } from '../../kernel/metrics.ts'
import type { WorkerHealth, Workers } from '../../kernel/workers.ts'

type Needs = { readonly metrics: Pick<Metrics, 'gauges'>; readonly workers: Pick<Workers, 'health'> }

/** What an operator alerts on: a worker that is not running, fails, hangs, or has not succeeded for long. */
export function tellWorkers({ metrics, workers }: Needs): void {
  const each = (name: string, help: string, read: (health: WorkerHealth) => number | undefined): void => {
    metrics.gauges(`worker_${name}`, help, 'worker', () => {
      const found: Record<string, number> = {}
      for (const [worker, health] of Object.entries(workers.health())) {
        const value = read(health)
        if (value !== undefined) found[worker] = value
      }
      return found
    })
  }
  each('running', '1 while the worker does its work, 0 when it crashed or stopped', ({ state }) =>
    state === 'running' ? 1 : 0,
  )
  each(
    'failures',
    'Passes that failed since the process began; each is tried again',
    ({ failuresInAll }) => failuresInAll,
  )
  each('restarts', 'Times a hanging pass was given up and the worker begun anew', ({ restarts }) => restarts)
  each('last_success_seconds', 'When a pass last succeeded, as seconds since 1970', ({ lastSuccessAt }) =>
    lastSuccessAt === undefined ? undefined : lastSuccessAt.getTime() / 1_000,
  )
}
