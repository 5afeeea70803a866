import type { RolloutAgentState, RolloutKind } from '@countersign/wire'
import type { RulesetDialect } from '../rulesets/index.ts'

/** A signing key's word for another, in the forms agents read. */
export type Endorsement = { readonly publicKey: string; readonly by: string; readonly signature: string }

/** One rendering in every form it is served in. */
export type Rendering = {
  readonly text: string
  /** The exact bytes that were hashed and signed. */
  readonly bytes: Buffer
  readonly base64: string
  readonly hash: string
  /** By signing key: the signature in padded base64, the public key in hexadecimal. */
  readonly signatures: ReadonlyMap<string, Signed>
}

export type Signed = { readonly signature: string; readonly publicKey: string }

/** What is live under one name in one environment. Never changed: another rollout, or a rotation, is another object. */
export type CurrentRollout = {
  readonly tenant: string
  readonly environment: string
  readonly ruleset: string
  readonly rolloutId: string
  readonly version: number
  readonly revisionId: string
  readonly rolledOutAt: Date
  /** The same text was live here earlier, so that reporting its hash may be old news. */
  readonly wasLiveBefore: boolean
  readonly uploadedBy: string
  readonly uploadedAt: Date
  readonly renderings: Readonly<Record<RulesetDialect, Rendering>>
  /** The tenant's current signing key, for callers whose own does not sign any more or was never chosen. */
  readonly fallbackSigningKeyId: string | undefined
  /** How agents that trust one of the tenant's signing keys come to trust its others. */
  readonly endorsements: readonly Endorsement[]
}

/** An agent key is served the signature its agents pinned; without one, the current key's. */
export function signatureFor(
  { renderings, fallbackSigningKeyId }: CurrentRollout,
  rendering: RulesetDialect,
  signingKeyId: string | null,
): Signed | undefined {
  const { signatures } = renderings[rendering]
  const own = signingKeyId === null ? undefined : signatures.get(signingKeyId)
  return own ?? (fallbackSigningKeyId === undefined ? undefined : signatures.get(fallbackSigningKeyId))
}

/** Whether an agent that reports this hash runs what is live, in whichever dialect. */
export function isOfRollout({ renderings }: CurrentRollout, hash: string): boolean {
  return renderings.ruleset.hash === hash || renderings.contract_bundle.hash === hash
}

type Ask = {
  readonly keyRendering: 'auto' | RulesetDialect
  readonly prefix: '/v1' | '/api/v1'
  readonly seenDialect: RulesetDialect | undefined
}

/** No request says which dialect it wants, and neither generation of SDK can load the other's (agent-api §4.4). */
export function chooseRendering({ keyRendering, prefix, seenDialect }: Ask): RulesetDialect {
  if (keyRendering !== 'auto') return keyRendering
  if (prefix === '/v1') return 'ruleset'
  return seenDialect ?? 'contract_bundle'
}

type Situation = { readonly version: number; readonly previous: number | undefined; readonly isLiveElsewhere: boolean }

/** What a rollout is when nobody says: a step back, a version brought over, or something new. */
export function kindOf({ version, previous, isLiveElsewhere }: Situation): RolloutKind {
  if (previous !== undefined && version < previous) return 'rollback'
  return isLiveElsewhere ? 'promotion' : 'rollout'
}

/** How far one agent came, as far as was seen. */
export type Progress = {
  readonly sentAt: Date | null
  readonly fetchedAt: Date | null
  readonly runningAt: Date | null
}

export const overdueMs = 5 * 60_000

type Seen = Progress & {
  readonly rolledOutAt: Date
  readonly isConnected: boolean
  /** Of a rollout that was followed by another nobody is late. */
  readonly isCurrent: boolean
}

/** Only `running` counts as acknowledged: bytes that were sent, or fetched, may have been refused by the agent. */
export function stateOf(seen: Seen, now: Date): { readonly state: RolloutAgentState; readonly since: Date } {
  const { sentAt, fetchedAt, runningAt, rolledOutAt, isConnected, isCurrent } = seen
  if (runningAt) return { state: 'running', since: runningAt }
  const reached = fetchedAt ?? sentAt
  const since = reached ?? rolledOutAt
  if (isCurrent && !isConnected) return { state: 'offline', since }
  // Counted from the first word of it: an agent that fetches again and again is no less late.
  const due = (sentAt ?? since).getTime() + overdueMs
  if (isCurrent && now.getTime() >= due) return { state: 'overdue', since: new Date(due) }
  if (fetchedAt) return { state: 'fetched', since: fetchedAt }
  if (sentAt) return { state: 'sent', since: sentAt }
  return { state: 'waiting', since }
}
