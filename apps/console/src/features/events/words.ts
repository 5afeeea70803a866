import type { Verdict } from '../../ui/verdicts.ts'
import type { Event } from './types.ts'

type Action = {
  /** What is typed after `verdict:`. */
  readonly token: string
  readonly word: string
  readonly verdict: Verdict
}

/** What agents report, by its canonical name. */
const actions: Readonly<Record<string, Action>> = {
  call_allowed: { token: 'allowed', word: 'Allowed', verdict: 'allowed' },
  call_executed: { token: 'ran', word: 'Ran', verdict: 'allowed' },
  call_failed: { token: 'failed', word: 'Failed', verdict: 'failed' },
  call_blocked: { token: 'blocked', word: 'Blocked', verdict: 'blocked' },
  call_would_block: { token: 'would-block', word: 'Would block', verdict: 'would-block' },
  call_asked: { token: 'held', word: 'Held', verdict: 'held' },
  call_approval_granted: { token: 'approved', word: 'Approved', verdict: 'approved' },
  call_approval_blocked: { token: 'denied', word: 'Denied', verdict: 'denied' },
  call_approval_timeout: { token: 'timed-out', word: 'Timed out', verdict: 'timed-out' },
  postcondition_warning: { token: 'warning', word: 'Warning', verdict: 'unknown' },
  workflow_stage_advanced: { token: 'stage-advanced', word: 'Stage advanced', verdict: 'unknown' },
  workflow_completed: { token: 'workflow-completed', word: 'Workflow completed', verdict: 'unknown' },
  workflow_state_updated: { token: 'workflow-updated', word: 'Workflow updated', verdict: 'unknown' },
}

const byToken = new Map(Object.entries(actions).map(([action, { token }]) => [token, action]))

/** A word nobody knows is shown as it was sent. */
export function actionOf(action: string): Action {
  return actions[action] ?? { token: action, word: action.replaceAll('_', ' '), verdict: 'unknown' }
}

/** The badge of an event: what observing rules would have blocked is never shown as blocked. */
export function badgeOf({ verdict, series }: Pick<Event, 'verdict' | 'series'>): Omit<Action, 'token'> {
  if (series === 'observed') return { word: 'Would block', verdict: 'would-block' }
  return actionOf(verdict)
}

export const actionTokens: readonly string[] = Object.values(actions).map(({ token }) => token)

/** Stands for "names no rule", which on the wire is an empty word. */
export const noRule = '(none)'

/** How a filter's value is called on the wire. */
export function wireValue(name: string, value: string): string {
  if (name === 'verdict') return byToken.get(value) ?? value
  return name === 'rule' && value === noRule ? '' : value
}

/** How a value of a facet is written in a filter. */
export function tokenValue(name: string, value: string | null): string {
  if (name === 'verdict' && value !== null) return actionOf(value).token
  return value ?? noRule
}

/** What was odd about an event when it arrived, in a sentence. */
const flagSentences: Readonly<Record<string, string>> = {
  time_unreadable: 'The time that the agent gave could not be read; when it arrived is used instead.',
  clock_off: 'The agent’s clock is far from this server’s: its times may not fit those of others.',
  odd_text: 'Characters that cannot be stored are shown as their escapes.',
  redacted: 'Secrets were masked before anything was stored.',
  cut: 'Something was too long to be stored and was cut off.',
  exact_numbers: 'Some numbers are longer than most programs can hold; every digit is shown.',
}

export function flagSentence(flag: string): string {
  return flagSentences[flag] ?? flag.replaceAll('_', ' ')
}
