import type { Permission } from '@countersign/wire'

export type TenantId = string

/** What a session has proven of the person beyond its first factor, as of this request. */
export type ProvenFactors = {
  /** Has at least one confirmed factor. */
  readonly isEnrolled: boolean
  /** Must have one: by the tenant's setting or by role. */
  readonly isRequired: boolean
  /** The second step of the sign-in was taken. Means nothing for somebody without a factor. */
  readonly isVerified: boolean
  /** A factor was proven within the window; or the password, by somebody who has no factor. */
  readonly isSteppedUp: boolean
  /** Until when that holds; null while it does not. */
  readonly steppedUpUntil: Date | null
  /** A factor was proven just now, and nothing used it up yet. */
  readonly isUnspent: boolean
  /** Could prove the password again. */
  readonly hasPassword: boolean
}

/** A role as somebody holds it: everywhere, in one environment, on one rack. */
export type HeldRole = {
  readonly role: string
  /** Null for everywhere. */
  readonly environment: string | null
  /** Null for every rack. Both named: on that rack while it is in that environment. */
  readonly rack: string | null
  readonly permissions: ReadonlySet<Permission>
}

/** What a person or a token may do; ask `permits`, which knows about scopes. */
export type Authority = {
  readonly held: readonly HeldRole[]
  /** Held somewhere: enough to come in at a route, not to act in an environment. */
  readonly permissions: ReadonlySet<Permission>
  readonly protectedEnvironments: ReadonlySet<string>
}

/** A person with a session of ours. */
export type Person = Authority & {
  readonly is: 'person'
  readonly tenant: TenantId
  readonly id: string
  readonly email: string
  readonly name: string
  readonly sessionId: string
  readonly factors: ProvenFactors
}

/** A machine with an API token. What it may do is the token's own, never its owner's. */
export type Token = Authority & {
  readonly is: 'token'
  readonly tenant: TenantId
  readonly id: string
  readonly name: string
  readonly ownerId: string
  readonly prefix: string
}

/** Whoever calls the API with permissions: a person or a machine of theirs. */
export type Caller = Person | Token

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

export type Principal = Caller | Agent
