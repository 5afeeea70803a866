import type { Permission } from '@countersign/wire'

export type TenantId = string

/** A person with a session of ours. */
export type Person = {
  readonly is: 'person'
  readonly tenant: TenantId
  readonly id: string
  readonly email: string
  readonly name: string
  readonly role: string
  readonly sessionId: string
  readonly permissions: ReadonlySet<Permission>
}

/** Whoever holds an agent key. `agentId` is what its header claims; nothing proves it within one key. */
export type Agent = {
  readonly is: 'agent'
  readonly tenant: TenantId
  readonly keyId: string
  readonly keyPrefix: string
  readonly environment: string
  readonly rendering: 'auto' | 'contract_bundle' | 'ruleset'
  readonly signingKeyId: string | null
  /** Made to decide approvals that other keys asked for; an ordinary key may not, or an agent could approve itself. */
  readonly mayDecide: boolean
  /** From `X-Edictum-Agent-Id`, or nothing when it was absent. */
  readonly agentId: string | undefined
}

export type Principal = Person | Agent
