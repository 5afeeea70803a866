import type { Agent, Person, RequestFacts } from '../roles/index.ts'
import type { Settlement } from './approval.ts'
import type { Sight } from './approvals-table.ts'

/** Who decides, known from the credential. `via` is the door they came through, never what they say of it. */
export type Decider =
  | { readonly is: 'person'; readonly who: Person; readonly via: 'console' | 'api'; readonly facts: RequestFacts }
  | { readonly is: 'key'; readonly who: Agent; readonly claimedBy: string | null; readonly facts: RequestFacts }

export function sightOf({ who }: Decider): Sight {
  return who.is === 'agent' ? { tenant: who.tenant, environment: who.environment } : { tenant: who.tenant }
}

/** What is written down of them beside the approval. */
export function authorOf(decider: Decider): Omit<Settlement, 'status' | 'at' | 'reason' | 'byOwner'> {
  const { address, userAgent } = decider.facts
  if (decider.is === 'person') {
    const { id, email } = decider.who
    return { by: { kind: 'person', id, label: email }, via: decider.via, address, userAgent, claimedBy: null }
  }
  const { keyId, keyPrefix } = decider.who
  const by = { kind: 'agent_key', id: keyId, label: `key:${keyPrefix}` } as const
  return { by, via: 'key', address, userAgent, claimedBy: decider.claimedBy }
}

/** Who the trail says acted; nobody means that time, or a revoked key, did. */
export function actorOf(by: Decider | undefined) {
  if (!by) return { kind: 'system', id: 'approval_timeout' } as const
  if (by.is === 'person')
    return { kind: 'person', id: by.who.id, credential: 'session', key_id: by.who.sessionId } as const
  return { kind: 'agent_key', id: by.who.keyId, credential: 'agent_key', key_id: by.who.keyId } as const
}
