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

  const turnOver = (): void => {
    if (young.size < rememberedMin) return
    old = young
    young = new Set()
    settle()
  }
  const settle = (): void => {
    for (const event of waiting.values()) pick(event)
    waiting = new Map()
  }

  return {
    add: (event: Event): void => {
      const { callId } = event
      if (young.has(callId) || old.has(callId)) {
        if (event.action !== 'call_would_block') waiting.delete(callId) && pick(event)
        return
      }
      young.add(callId)
      if (event.action === 'call_would_block') waiting.set(callId, event)
      else pick(event)
      turnOver()
    },
    end: settle,
  }
}
