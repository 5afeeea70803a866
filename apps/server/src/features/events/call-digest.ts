import { callIdentity, decidingActions } from '@countersign/rehearsal'
import { sha256Uuid } from '../../kernel/crypto.ts'
import type { ReportedEvent } from './reported-event.ts'

const deciding: ReadonlySet<string> = new Set(decidingActions)

/**
 * What two recorded calls share when no ruleset can tell them apart and both were decided in the same words. Unkeyed and
 * not to be forged: whoever found two calls with one digest could hide one behind the other from a replay.
 */
export function callDigest(
  environment: string,
  { tool, verdict, mode, rule }: Pick<ReportedEvent, 'tool' | 'verdict' | 'mode' | 'rule'>,
  payload: string,
): string | undefined {
  if (!deciding.has(verdict)) return undefined
  return sha256Uuid(callIdentity({ environment, tool, action: verdict, mode, rule, payload }))
}
