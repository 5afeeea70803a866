import type { Bus } from '../../kernel/bus.ts'
import type { Clock, Stop } from '../../kernel/clock.ts'

export type Waiting = {
  /** Resolves when the approval was settled, on whichever replica, or after so long, or when the asker has gone. */
  readonly untilSettled: (id: string, milliseconds: number, gone: AbortSignal) => Waiter
  /** Also when one of several who have to approve did. */
  readonly untilMoved: (id: string, milliseconds: number, gone: AbortSignal) => Waiter
  /** Lets everybody go at once, for a server that drains. */
  readonly release: () => void
}

/** Registered before the approval is read, so that nothing that happens in between is missed. */
export type Waiter = { readonly done: Promise<void>; readonly cancel: () => void }

type Waiters = Map<string, Set<() => void>>

type Needs = { readonly bus: Pick<Bus, 'on'>; readonly clock: Pick<Clock, 'after'> }

/** Those who wait for an answer, by approval. One hearer of the bus for all of them. */
export function makeWaiting({ bus, clock }: Needs): Waiting {
  const ofSettlement = new Map<string, Set<() => void>>()
  const ofVotes = new Map<string, Set<() => void>>()
  let isReleased = false
  const wakeAll = (waiters: Waiters, id: string): void => {
    for (const wake of [...(waiters.get(id) ?? [])]) wake()
  }
  for (const topic of ['approval.decided', 'approval.timed_out', 'approval.cancelled', 'approval.voted']) {
    bus.on(topic, ({ body }) => {
      const id = String(body['approval_id'])
      wakeAll(ofVotes, id)
      if (topic !== 'approval.voted') wakeAll(ofSettlement, id)
    })
  }

  const until =
    (waiters: Waiters) =>
    (id: string, milliseconds: number, gone: AbortSignal): Waiter => {
      let stop: Stop = () => undefined
      let wake: () => void = () => undefined
      const done = new Promise<void>((resolve) => {
        wake = () => {
          stop()
          gone.removeEventListener('abort', wake)
          const set = waiters.get(id)
          if (set?.delete(wake) && set.size === 0) waiters.delete(id)
          resolve()
        }
      })
      if (isReleased || gone.aborted) {
        wake()
        return { done, cancel: wake }
      }
      waiters.set(id, (waiters.get(id) ?? new Set()).add(wake))
      stop = clock.after(milliseconds, wake)
      gone.addEventListener('abort', wake, { once: true })
      return { done, cancel: wake }
    }

  return {
    untilSettled: until(ofSettlement),
    untilMoved: until(ofVotes),
    release: () => {
      isReleased = true
      for (const waiters of [ofSettlement, ofVotes]) for (const id of [...waiters.keys()]) wakeAll(waiters, id)
    },
  }
}
