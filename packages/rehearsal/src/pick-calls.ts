import type { RecordedEvent } from './recorded-call.ts'

/** How many calls are remembered at the least, to tell that a later event is about one of them. */
const rememberedMin = 200_000

/**
 * Of the events of one call, the one that says how it was decided: agents report observed rules and candidates beside the
 * decision itself. Events must come in the order of their times; nothing is picked twice unless two events of one call
 * are hundreds of thousands of calls apart.
 */
export function pickCalls<Event extends Pick<RecordedEvent, 'action' | 'callId'>>(pick: (event: Event) => void) {
  let young = new Set<string>()
  let old = new Set<string>()
  /** Observed only, as far as we know: the decision of the same call may follow. */
  let waiting = new Map<string, Event>()

  const settle = (): void => {
    for (const event of waiting.values()) pick(event)
    waiting = new Map()
  }

  const decideLater = (event: Event): void => {
    if (event.action === 'call_would_block') return
    if (waiting.delete(event.callId)) pick(event)
  }

  return {
    add: (event: Event): void => {
      const { callId } = event
      const before = young.size
      // One look-up instead of two: whether it was there is told by the size.
      young.add(callId)
      if (young.size === before || (old.size > 0 && old.has(callId))) {
        decideLater(event)
        return
      }
      if (event.action === 'call_would_block') waiting.set(callId, event)
      else pick(event)
      if (young.size < rememberedMin) return
      old = young
      young = new Set()
      settle()
    },
    end: settle,
  }
}
