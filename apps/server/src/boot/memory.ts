import { performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Clock, Stop } from '../kernel/clock.ts'

type Collect = (options: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void

let collect: Collect | undefined

/**
 * Collects all garbage and gives the room it took back to the operating system: tens of milliseconds, and for some
 * seconds afterwards the engine is as slow as after a start. For quiet moments only.
 */
export function giveMemoryBack(): void {
  if (!collect) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as Collect
  }
  collect({ type: 'major', flavor: 'last-resort' })
}

const lookMs = 10_000
/** Of the time since the last look: a pause is not noticed by anybody while there is this little to do. */
const busyMax = 0.1
const slackBytesMin = 24 * 1_048_576

/**
 * Gives memory back in quiet moments: after the start, after ten thousand agents came at once. By itself the engine
 * keeps what it once needed for hours, and an idle server would look like a busy one.
 */
export function keepMemoryLow({ clock }: { readonly clock: Pick<Clock, 'every'> }): Stop {
  let last = performance.eventLoopUtilization()
  let keptBytes = 0
  return clock.every(lookMs, () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    const { heapTotal } = process.memoryUsage()
    if (utilization > busyMax || heapTotal < keptBytes + slackBytesMin) return
    giveMemoryBack()
    keptBytes = process.memoryUsage().heapTotal
  })
}
