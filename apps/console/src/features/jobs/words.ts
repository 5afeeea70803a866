import type { Job, JobStatus, RecurringJob } from '@countersign/wire'
import { counted, countWords } from '../../ui/numbers.ts'
import type { Verdict } from '../../ui/verdicts.ts'

type Mark = { readonly word: string; readonly verdict: Verdict }

export const statusMarks: Readonly<Record<JobStatus, Mark>> = {
  queued: { word: 'Queued', verdict: 'timed-out' },
  running: { word: 'Running', verdict: 'running' },
  waiting: { word: 'Waits for a person', verdict: 'held' },
  done: { word: 'Done', verdict: 'allowed' },
  failed: { word: 'Failed', verdict: 'failed' },
  cancelled: { word: 'Cancelled', verdict: 'timed-out' },
}

/** The status with how far it is. */
export function markOf({ status, is_cancelling, progress }: Pick<Job, 'status' | 'is_cancelling' | 'progress'>): Mark {
  const mark = statusMarks[status]
  if (is_cancelling) return { ...mark, word: 'Stopping' }
  if (status !== 'running' || progress === null) return mark
  return { ...mark, word: `${mark.word}, ${Math.floor(progress * 100)} %` }
}

export const kindWords = { replay: 'Replay', trial: 'Observe first' } as const

export function nameOf({ ruleset, version }: Pick<Job, 'ruleset' | 'version'>): string {
  return version === null ? `a draft of ${ruleset}` : `${ruleset} v${version}`
}

const does: Readonly<Record<string, string>> = {
  trail_sequencer: 'Gives every entry of the trail its number',
  trail_checkpoints: 'Signs checkpoints of the trail',
  trail_anchors: 'Writes checkpoints where nobody can change them',
  trail_refusals: 'Writes down what was refused, added up',
  limit_sweep: 'Forgets limits that no longer hold',
  trail_retention: 'Archives and removes entries older than the trail keeps',
  sign_in_sweep: 'Removes sign-ins through a provider that nobody finished',
  cli_sign_in_sweep: 'Removes sign-ins of command lines that nobody finished',
  session_sweep: 'Removes sessions that ended',
  token_uses: 'Notes when API tokens were used last',
  key_uses: 'Notes when agent keys were used last',
  outbox_sweep: 'Removes announcements that everybody has heard',
  assignments: 'Works out anew which ruleset each agent gets',
  presence: 'Notices agents that went silent',
  fleet_history: 'Removes old connections of agents',
  drift: 'Tells of agents that run another revision than is live',
  rollout_trials: 'Lets observed rollouts enforce when their condition holds',
  replays: 'Takes up replays that wait',
  agent_session_sweep: 'Removes values of agent sessions that ended',
  partition: 'Makes room for the events of coming months',
  event_counts: 'Adds up events for charts',
  event_retention: 'Removes events that are too old',
  factor_sweep: 'Removes challenges and trusted browsers that ended',
  approval_timeout: 'Ends approvals whose deadline passed',
}

/** What it is for; one this page does not know is named readably. */
export function doesWords(name: string): string {
  return does[name] ?? name.replaceAll('_', ' ')
}

export const stateMarks: Readonly<Record<RecurringJob['state'], Mark>> = {
  running: { word: 'Running', verdict: 'allowed' },
  stopped: { word: 'Elsewhere', verdict: 'timed-out' },
  crashed: { word: 'Crashed', verdict: 'blocked' },
}

/** `every 50 ms`, `every 10 s`, `every hour`. */
export function everyWords(seconds: number): string {
  if (seconds < 1) return `every ${Math.round(seconds * 1000)} ms`
  if (seconds < 60) return `every ${seconds} s`
  if (seconds < 3600) return `every ${Math.round(seconds / 60)} min`
  return seconds === 3600 ? 'every hour' : `every ${Math.round(seconds / 3600)} h`
}

type Fared = Pick<RecurringJob, 'failures' | 'consecutive_failures' | 'restarts'>

export function failureWords({ failures, consecutive_failures, restarts }: Fared): string {
  const words = [
    failures > 0 && countWords(failures),
    consecutive_failures > 0 && `the last ${consecutive_failures} in a row`,
    restarts > 0 && `hung ${counted(restarts, 'time')}`,
  ].filter((word) => word !== false)
  return words.length === 0 ? 'none' : words.join(', ')
}
