import type { JsonObject } from '@countersign/trail'
import { isPermission, type Permission, permissionRows } from '@countersign/wire'
import type { Bus } from '../../kernel/bus.ts'
import type { Keyring } from '../../kernel/crypto.ts'
import { type Db, isUniqueViolation, type Tx } from '../../kernel/db.ts'
import { invalidInput, notFound, Problem, problems } from '../../kernel/problem.ts'
import { findRoles } from '../access/index.ts'
import { listEnvironments } from '../environments/index.ts'
import { findAuthority } from '../people/index.ts'
import { type Authority, covers, type Person, type RequestFacts } from '../roles/index.ts'
import type { ReadSetting } from '../settings/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import { makeTokenText } from './token-text.ts'
import {
  endTokenSecrets,
  findToken,
  insertToken,
  insertTokenSecret,
  lockToken,
  revokeTokenRow,
  revokeTokensOf,
  type TokenRow,
  updateToken,
} from './tokens-table.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly newId: () => string
  readonly keyring: Keyring
  readonly readSetting: ReadSetting
  readonly tell: { readonly bus: Pick<Bus, 'announce'>; readonly recordAct: RecordAct }
}

export type TokenDraft = {
  readonly name: string
  /** Its permissions are copied. */
  readonly role?: string | undefined
  readonly permissions?: readonly Permission[] | undefined
  readonly environments?: readonly string[] | undefined
  readonly expiresAt?: Date | undefined
}

export type TokenChanges = {
  readonly name?: string | undefined
  readonly permissions?: readonly Permission[] | undefined
  readonly expiresAt?: Date | undefined
}

export type MadeToken = { readonly id: string; readonly text: string }
export type ManageTokens = ReturnType<typeof manageTokens>

const overlapHours = 24
const dayMs = 86_400_000

/** What people do with tokens of machines. Nobody gives a token what they do not hold, and no token makes another. */
export function manageTokens({ db, clock, newId, keyring, readSetting, tell: { bus, recordAct } }: Needs) {
  const tell = async (
    tx: Tx,
    who: Person,
    facts: RequestFacts,
    act: string,
    id: string,
    details: JsonObject,
  ): Promise<void> => {
    await recordAct(tx, {
      ...actorOf(who),
      tenant: who.tenant,
      act,
      subject: { kind: 'api_token', id },
      request: facts,
      details,
    })
    await bus.announce(tx, { topic: 'token.changed', tenant: who.tenant, body: { token_id: id } })
  }

  const addSecret = async (tx: Tx, tenant: string, token: string): Promise<string> => {
    const { text, prefix } = makeTokenText()
    const digest = keyring.digest('api-token', text)
    await insertTokenSecret(tx, { tenant, id: newId(), token, digest, prefix, madeAt: clock.now() })
    return text
  }

  /** Held, so that nothing else changes it, and within what whoever asks may give. */
  const hold = async (tx: Tx, who: Person, id: string): Promise<TokenRow> => {
    if (!(await lockToken(tx, who.tenant, id))) throw notFound('API token')
    const token = await findToken(tx, who.tenant, id, clock.now())
    if (!token) throw notFound('API token')
    demandCover(await findAuthority(tx, who.tenant, who.id), token.permissions, token.environments)
    return token
  }

  const endOf = async (tenant: string, wanted: Date | undefined): Promise<Date | null> => {
    const now = clock.now().getTime()
    if (wanted !== undefined && wanted.getTime() <= now)
      throw invalidInput('body.expires_at', 'The end must be in the future.')
    const days = await readSetting(tenant, 'tokens.days_max')
    if (days === null) return wanted ?? null
    const latest = new Date(now + days * dayMs)
    // A form that says "in 365 days" was filled in some minutes ago.
    if (wanted !== undefined && wanted.getTime() > latest.getTime() + dayMs)
      throw invalidInput('body.expires_at', `API tokens live ${days} days at most: until ${latest.toISOString()}.`)
    return wanted ?? latest
  }

  return {
    /** Answers the whole token, which is shown this once. */
    make: async (who: Person, draft: TokenDraft, facts: RequestFacts): Promise<MadeToken> => {
      const expiresAt = await endOf(who.tenant, draft.expiresAt)
      return db.inTx(async (tx) => {
        const { tenant } = who
        const permissions = await permissionsIn(tx, tenant, draft)
        await checkEnvironments(tx, tenant, draft.environments)
        demandCover(await findAuthority(tx, tenant, who.id), permissions, draft.environments ?? null)
        const id = newId()
        const environments = draft.environments === undefined ? null : [...draft.environments].sort()
        const at = { madeAt: clock.now(), expiresAt }
        const made = { tenant, id, name: draft.name, permissions, environments, owner: who.id, madeBy: who.id, ...at }
        await insertToken(tx, made).catch(takenName(draft.name))
        const text = await addSecret(tx, tenant, id)
        await tell(tx, who, facts, 'token.created', id, {
          name: draft.name,
          role: draft.role ?? null,
          permissions,
          environments,
          expires_at: expiresAt?.toISOString() ?? null,
        })
        return { id, text }
      })
    },

    change: async (who: Person, id: string, change: TokenChanges, facts: RequestFacts): Promise<void> => {
      const expiresAt = change.expiresAt === undefined ? undefined : await endOf(who.tenant, change.expiresAt)
      await db.inTx(async (tx) => {
        const before = await hold(tx, who, id)
        const permissions = change.permissions && checked(change.permissions)
        if (permissions) demandCover(await findAuthority(tx, who.tenant, who.id), permissions, before.environments)
        const after = { name: change.name, permissions, expiresAt: expiresAt ?? undefined }
        await updateToken(tx, who.tenant, id, after).catch(takenName(change.name ?? ''))
        await tell(tx, who, facts, 'token.changed', id, {
          before: onRecord(before),
          after: onRecord((await findToken(tx, who.tenant, id, clock.now())) ?? before),
        })
      })
    },

    /** Makes a new text for the same token; the one before works for the overlap, so that nothing breaks meanwhile. */
    rotate: async (
      who: Person,
      id: string,
      rotation: { readonly overlapHours?: number | undefined; readonly expiresAt?: Date | undefined },
      facts: RequestFacts,
    ): Promise<string> => {
      const expiresAt = await endOf(who.tenant, rotation.expiresAt)
      return db.inTx(async (tx) => {
        await hold(tx, who, id)
        const now = clock.now()
        const previousUntil = new Date(now.getTime() + (rotation.overlapHours ?? overlapHours) * 3_600_000)
        await endTokenSecrets(tx, who.tenant, id, previousUntil)
        const text = await addSecret(tx, who.tenant, id)
        await updateToken(tx, who.tenant, id, { expiresAt: expiresAt ?? undefined, rotatedAt: now })
        await tell(tx, who, facts, 'token.rotated', id, {
          previous_until: previousUntil.toISOString(),
          expires_at: expiresAt?.toISOString() ?? null,
        })
        return text
      })
    },

    /** One's own always; another's only by somebody who holds as much: stopping production is a power too. */
    revoke: (who: Person, id: string, facts: RequestFacts): Promise<void> =>
      db.inTx(async (tx) => {
        const token = await findToken(tx, who.tenant, id, clock.now())
        if (token && token.ownerId !== who.id) await hold(tx, who, id)
        if (!token || !(await revokeTokenRow(tx, who.tenant, id, who.id, clock.now()))) throw notFound('API token')
        await tell(tx, who, facts, 'token.revoked', id, { name: token.name })
      }),

    /** All of somebody who leaves, within the transaction in which they do. */
    revokeAllOf: async (tx: Tx, tenant: string, owner: string, by: string): Promise<number> => {
      const ids = await revokeTokensOf(tx, tenant, owner, by, clock.now())
      for (const id of ids) await bus.announce(tx, { topic: 'token.changed', tenant, body: { token_id: id } })
      return ids.length
    },
  }
}

async function permissionsIn(tx: Tx, tenant: string, { role, permissions }: TokenDraft): Promise<Permission[]> {
  if (permissions) return checked(permissions)
  if (role === undefined) throw invalidInput('body.permissions', 'Say what the token may do: a role, or permissions.')
  const found = (await findRoles(tx, tenant)).get(role)
  if (!found) throw invalidInput('body.role', `There is no role ${role}.`)
  const own = found.permissions.filter((name) => permissionRows[name].forTokens)
  if (own.length === 0) throw invalidInput('body.role', `Nothing that ${role} allows can be given to a token.`)
  return [...own].sort()
}

function checked(permissions: readonly Permission[]): Permission[] {
  const personal = permissions.filter((name) => !permissionRows[name].forTokens)
  if (personal.length > 0) throw invalidInput('body.permissions', `Only people can be allowed ${personal.join(', ')}.`)
  return [...permissions].sort()
}

async function checkEnvironments(tx: Tx, tenant: string, environments: readonly string[] | undefined): Promise<void> {
  if (environments === undefined) return
  const known = new Set((await listEnvironments(tx, tenant)).map(({ name }) => name))
  const missing = environments.filter((name) => !known.has(name))
  if (missing.length > 0) throw invalidInput('body.environments', `There is no environment ${missing.join(', ')}.`)
}

function demandCover(
  authority: Authority,
  permissions: readonly string[],
  environments: readonly string[] | null,
): void {
  const wanted = permissions.filter(isPermission)
  for (const environment of environments ?? [null]) {
    if (covers(authority, wanted, environment)) continue
    const missing = wanted.filter((name) => !covers(authority, [name], environment))
    const where = environment === null ? 'everywhere' : `in ${environment}`
    const which = missing.length > 0 ? missing.join(', ') : 'protected:write together with the rest, in one role'
    throw new Problem(
      problems.forbidden,
      `Nobody gives, changes or stops a token that may do more than they may. You lack ${which} ${where}.`,
    )
  }
}

function takenName(name: string) {
  return (cause: unknown): never => {
    if (!isUniqueViolation(cause, 'api_tokens_by_name')) throw cause
    throw new Problem(problems.conflict, `There is already an API token ${name}.`, { cause })
  }
}

function onRecord({ name, permissions, expiresAt }: TokenRow): JsonObject {
  return { name, permissions: [...permissions], expires_at: expiresAt?.toISOString() ?? null }
}
