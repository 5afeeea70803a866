import type { PrincipalRef, TrailEntryShown } from '../../api/types.ts'
import { asksForProof } from '../../ui/acts.ts'
import type { Names } from '../../ui/subjects.ts'
import type { Verdict } from '../../ui/verdicts.ts'

const kinds: readonly PrincipalRef['kind'][] = ['person', 'agent', 'agent_key', 'system', 'anyone']

/** Who acted: by the name in the record, else by what the id is called now, else by the id. */
export function actorOf({ actor, personal }: TrailEntryShown, names: Names): PrincipalRef {
  const { email, name } = personal.actor ?? {}
  const recorded = [email, name].find((one) => typeof one === 'string' && one !== '')
  return {
    kind: kinds.find((kind) => kind === actor.kind) ?? 'system',
    id: actor.id,
    label: typeof recorded === 'string' ? recorded : (names.get(actor.id) ?? nameOf(actor)),
  }
}

/** The server's own parts are named for what they do: `approval_timeout`. */
function nameOf({ kind, id }: TrailEntryShown['actor']): string {
  return kind === 'system' ? id.replaceAll('_', ' ') : id
}

const outcomes: Readonly<Record<string, { readonly word: string; readonly verdict: Verdict }>> = {
  refused: { word: 'Refused', verdict: 'blocked' },
  failed: { word: 'Failed', verdict: 'failed' },
  held: { word: 'Held', verdict: 'held' },
  intended: { word: 'Intended', verdict: 'unknown' },
  unknown: { word: 'Unknown', verdict: 'unknown' },
}

/** Null for what was simply done: a badge on every row would say nothing. */
export function outcomeOf(
  outcome: string,
  details: TrailEntryShown['details'],
): { readonly word: string; readonly verdict: Verdict } | null {
  if (outcome === 'done') return null
  if (outcome === 'refused' && asksForProof(details)) return { word: 'Put off', verdict: 'held' }
  return outcomes[outcome] ?? { word: outcome, verdict: 'unknown' }
}
