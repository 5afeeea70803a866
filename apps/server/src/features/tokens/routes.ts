import {
  apiToken,
  apiTokenChange,
  apiTokenChoices,
  apiTokenDraft,
  apiTokenParams,
  apiTokenQuery,
  apiTokenRotation,
  madeApiToken,
  pageOf,
  permissionRows,
  permissions,
} from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import { findRoles } from '../access/index.ts'
import { type Authority, covers, type Route, route } from '../roles/index.ts'
import type { ReadSetting } from '../settings/index.ts'
import type { ManageTokens } from './manage-tokens.ts'
import { findToken, listTokens, type TokenRow } from './tokens-table.ts'

type Needs = {
  readonly db: Sql
  readonly clock: { readonly now: () => Date }
  readonly tokens: ManageTokens
  readonly readSetting: ReadSetting
}

export function tokenRoutes({ db, clock, tokens, readSetting }: Needs): readonly Route[] {
  const read = async (tenant: string, id: string) => {
    const row = await findToken(db, tenant, id, clock.now())
    if (!row) throw notFound('API token')
    return tokenOnWire(row, clock.now())
  }
  return [
    route({
      does: 'List API tokens',
      method: 'GET',
      path: '/tokens',
      needs: 'tokens:read',
      query: apiTokenQuery,
      answers: pageOf(apiToken),
      handle: async ({ who, query: { revoked = false } }) => {
        const rows = await listTokens(db, who.tenant, revoked, clock.now())
        return { items: rows.map((row) => tokenOnWire(row, clock.now())), next_cursor: null, total: rows.length }
      },
    }),
    route({
      does: 'Tell what a new API token can be given by whoever asks',
      method: 'GET',
      path: '/tokens/choices',
      needs: 'tokens:write',
      answers: apiTokenChoices,
      handle: async ({ who }) => ({
        ...choicesFor(who, [...(await findRoles(db, who.tenant)).values()]),
        days_max: await readSetting(who.tenant, 'tokens.days_max'),
      }),
    }),
    route({
      does: 'Show an API token',
      method: 'GET',
      path: '/tokens/:id',
      needs: 'tokens:read',
      params: apiTokenParams,
      answers: apiToken,
      handle: ({ who, params: { id } }) => read(who.tenant, id),
    }),
    route({
      does: 'Make an API token; the token is shown this once',
      method: 'POST',
      path: '/tokens',
      needs: 'tokens:write',
      factor: 'always',
      status: 201,
      body: apiTokenDraft,
      answers: madeApiToken,
      handle: async ({ who, body, facts, reply }) => {
        reply.header('cache-control', 'no-store')
        const { expires_at: end, ...draft } = body
        const { id, text } = await tokens.make(who, { ...draft, expiresAt: dateIn(end) }, facts)
        return { ...(await read(who.tenant, id)), token: text }
      },
    }),
    route({
      does: 'Change the name, permissions or end of an API token',
      method: 'PATCH',
      path: '/tokens/:id',
      needs: 'tokens:write',
      factor: 'step-up',
      params: apiTokenParams,
      body: apiTokenChange,
      answers: apiToken,
      handle: async ({ who, params: { id }, body, facts }) => {
        const { expires_at: end, ...change } = body
        await tokens.change(who, id, { ...change, expiresAt: dateIn(end) }, facts)
        return read(who.tenant, id)
      },
    }),
    route({
      does: 'Rotate an API token; the new one is shown this once, the old one works for a while',
      method: 'POST',
      path: '/tokens/:id/rotation',
      needs: 'tokens:write',
      factor: 'always',
      status: 201,
      params: apiTokenParams,
      body: apiTokenRotation,
      answers: madeApiToken,
      handle: async ({ who, params: { id }, body, facts, reply }) => {
        reply.header('cache-control', 'no-store')
        const rotation = { overlapHours: body.overlap_hours, expiresAt: dateIn(body.expires_at) }
        const text = await tokens.rotate(who, id, rotation, facts)
        return { ...(await read(who.tenant, id)), token: text }
      },
    }),
    route({
      does: 'Revoke an API token',
      method: 'POST',
      path: '/tokens/:id/revocation',
      needs: 'tokens:write',
      params: apiTokenParams,
      answers: apiToken,
      handle: async ({ who, params: { id }, facts }) => {
        await tokens.revoke(who, id, facts)
        return read(who.tenant, id)
      },
    }),
  ]
}

function dateIn(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text)
}

/** What somebody can give a token, and by which roles. */
export function choicesFor(
  who: Authority,
  roles: readonly { name: string; title: string; permissions: readonly string[] }[],
) {
  // A token acts in environments: what somebody may do on one rack only is not theirs to give.
  const held = who.held.filter(({ rack }) => rack === null)
  const everywhere = held.some(({ environment }) => environment === null)
  const places = everywhere ? [null] : held.map(({ environment }) => environment)
  const mine = permissions.filter(
    (name) => permissionRows[name].forTokens && places.some((place) => covers(who, [name], place)),
  )
  const offered = roles.map(({ name, title, permissions: all }) => ({
    name,
    title,
    permissions: mine.filter((one) => all.includes(one)),
    isWhole: permissions.every((one) => !all.includes(one) || !permissionRows[one].forTokens || mine.includes(one)),
  }))
  return {
    permissions: mine.map((name) => ({ name, does: permissionRows[name].does })),
    roles: offered.filter((role) => role.isWhole && role.permissions.length > 0).map(({ isWhole: _, ...role }) => role),
    environments: everywhere ? null : [...new Set(held.flatMap(({ environment }) => environment ?? []))].sort(),
  }
}

function tokenOnWire(row: TokenRow, now: Date) {
  const hasExpired = row.expiresAt !== null && row.expiresAt <= now
  const status: 'revoked' | 'expired' | 'live' | 'stopped' = row.revokedAt
    ? 'revoked'
    : hasExpired
      ? 'expired'
      : row.isOwnerActive
        ? 'live'
        : 'stopped'
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    status,
    permissions: [...row.permissions],
    environments: row.environments === null ? null : [...row.environments],
    owner: { id: row.ownerId, label: row.ownerEmail },
    made_at: row.madeAt.toISOString(),
    made_by: { id: row.madeBy, label: row.madeByEmail },
    expires_at: row.expiresAt?.toISOString() ?? null,
    last_used_at: row.lastUsedAt?.toISOString() ?? null,
    rotated_at: row.rotatedAt?.toISOString() ?? null,
    previous_until: row.previousUntil?.toISOString() ?? null,
    revoked_at: row.revokedAt?.toISOString() ?? null,
  }
}
