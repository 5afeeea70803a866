import { durationWords } from '../../ui/instants.ts'
import { type Verdict, verdictOf, verdictWords } from '../../ui/verdicts.ts'
import type { Event, EventDetail } from './types.ts'
import { badgeOf } from './words.ts'

/** One moment in the story of a call. What an agent says and what this server saw are never shown as the same thing. */
export type Step = {
  readonly id: string
  readonly at: number
  readonly is: 'reported' | 'witnessed'
  readonly verdict: Verdict
  readonly word: string
  readonly sentence: string
  /** The event this step is; none for what the server saw itself. */
  readonly event?: Event
  readonly approvalId?: string
}

/** Asked, granted, executed: what agents reported and what became of the approval, in the order of their times. */
export function stepsOf({ story, approval }: Pick<EventDetail, 'story' | 'approval'>): readonly Step[] {
  const reported = story.map(
    (event): Step => ({
      id: event.id,
      at: Date.parse(event.at),
      is: 'reported',
      ...badgeOf(event),
      sentence: sentenceOf(event),
      event,
    }),
  )
  if (!approval) return reported
  const { id, status, decided_by, asked_at, decided_at } = approval
  const witnessed: Step[] = [
    {
      id: `${id} asked`,
      at: Date.parse(asked_at),
      is: 'witnessed',
      verdict: 'held',
      word: 'Held',
      sentence: 'This server was asked to let a person decide.',
      approvalId: id,
    },
  ]
  if (decided_at !== null) {
    const verdict = verdictOf(status)
    witnessed.push({
      id: `${id} decided`,
      at: Date.parse(decided_at),
      is: 'witnessed',
      verdict,
      word: verdictWords[verdict],
      sentence: decided_by === null ? 'Nobody answered before the deadline.' : `By ${decided_by}.`,
      approvalId: id,
    })
  }
  return [...reported, ...witnessed].toSorted((one, other) => one.at - other.at)
}

/** What is still open at the end of the story, or null when it is told to its end. */
export function openEndOf({ story, approval }: Pick<EventDetail, 'story' | 'approval'>): string | null {
  const said = new Set(story.map(({ verdict }) => verdict))
  if (said.has('call_executed') || said.has('call_failed')) return null
  if (approval?.status === 'pending') return 'A person has still to decide.'
  if (said.has('call_blocked') || said.has('call_approval_blocked') || said.has('call_approval_timeout')) return null
  if (said.has('call_asked') && !said.has('call_approval_granted')) {
    return 'The agent has not reported what became of it.'
  }
  if (said.has('call_allowed') || said.has('call_approval_granted')) return 'The agent has not reported whether it ran.'
  return null
}

/** `+0 ms`, `+6.6 s`: how long after the step before it. */
export function gapWords(step: Step, before: Step | undefined): string {
  if (!before) return ''
  const gap = step.at - before.at
  return gap === 0 ? 'at once' : `${durationWords(gap)} later`
}

function sentenceOf({ verdict, series, rule, reason, duration_ms }: Event): string {
  const why = [rule === null ? '' : `Rule ${rule}`, reason ?? ''].filter((part) => part !== '').join(': ')
  switch (verdict) {
    case 'call_executed':
      return duration_ms === null ? 'It ran.' : `It ran for ${durationWords(duration_ms)}.`
    case 'call_failed':
      return reason ?? 'It ran and failed.'
    case 'call_allowed':
      return why === '' ? 'The rules let it pass.' : why
    case 'call_approval_granted':
      return 'The agent was told yes.'
    case 'call_approval_blocked':
      return 'The agent was told no.'
    case 'call_approval_timeout':
      return 'The agent stopped waiting for an answer.'
    case 'call_asked':
      return why === '' ? 'A rule wants a person to decide.' : why
    default:
      if (why !== '') return why
      return series === 'observed' ? 'An observing rule would have blocked it.' : 'No reason was given.'
  }
}
