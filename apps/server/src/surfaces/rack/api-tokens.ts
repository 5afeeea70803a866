import { isPermission, nameText, type Permission, permissionRows, Type } from '@countersign/wire'
import { findRoles } from '../../features/access/index.ts'
import { listPeople } from '../../features/people/index.ts'
import { builtInRoles, type Caller, type Person, type Route, route } from '../../features/roles/index.ts'
import { choicesFor, findToken, listTokens, type ManageTokens, type TokenRow } from '../../features/tokens/index.ts'
import type { Sql } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { badRequest, notFoundAs, present, retell, roleWords } from './words.ts'

type Needs = {
  readonly db: Sql
  readonly clock: { readonly now: () => Date }
  readonly tokens: ManageTokens
}

const tokenName = nameText({ min: 0, max: 150 })
const names = Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 200 })
// A malformed id is one that nothing has: 404, as for every other.
const params = Type.Object({ tokenID: Type.String({ maxLength: 100 }) })

/** API tokens as Rack Gateway's clients manage them (gateway §3.10). Unknown fields never fail a request. */
export function rackTokenRoutes({ db, clock, tokens }: Needs): readonly Route[] {
  const find = async (who: Caller, id: string): Promise<TokenRow> => {
    const row = isId(id) ? await findToken(db, who.tenant, id, clock.now()) : undefined
    if (!row || row.revokedAt) throw notFoundAs('api token not found')
    return row
  }
  const own = async (who: Person, email: string | undefined): Promise<void> => {
    if (email === undefined || email.toLowerCase() === who.email.toLowerCase()) return
    const [found] = await listPeople(db, who.tenant, { email }, clock.now())
    if (!found) throw notFoundAs('user not found')
    throw new Problem(problems.forbidden, 'a token belongs to whoever makes it: user_email can only be your own')
  }
  const failures = {
    conflict: { kind: problems.malformed, error: 'token name already exists' },
    not_found: 'api token not found',
  } as const

  return [
    route({
      does: 'List API tokens',
      method: 'GET',
      path: '/api-tokens',
      needs: 'tokens:read',
      handle: async ({ who }) => (await listTokens(db, who.tenant, false, clock.now())).map(tokenOnWire),
    }),
    route({
      does: 'Tell what a new API token can be given by whoever asks',
      method: 'GET',
      path: '/api-tokens/permissions',
      needs: 'tokens:read',
      handle: async ({ who }) => {
        const roles = [...(await findRoles(db, who.tenant)).values()]
        const choices = choicesFor(who, roles)
        const cicd = builtInRoles.find(({ name }) => name === 'cicd')?.permissions ?? []
        return {
          permissions: choices.permissions.map(({ name }) => name),
          roles: choices.roles.map(({ name, title, permissions }) => ({ name, label: title, permissions })),
          user_roles: who.is === 'person' ? roleWords(who.held) : [],
          user_permissions: [...who.permissions],
          default_permissions: [...cicd],
        }
      },
    }),
    route({
      does: 'Show an API token',
      method: 'GET',
      path: '/api-tokens/:tokenID',
      needs: 'tokens:read',
      params,
      handle: async ({ who, params: { tokenID } }) => tokenOnWire(await find(who, tokenID)),
    }),
    route({
      does: 'Make an API token; the token is shown this once',
      method: 'POST',
      path: '/api-tokens',
      needs: 'tokens:write',
      factor: 'always',
      bodyBytesMax: 32_768,
      body: Type.Object({
        name: tokenName,
        user_email: Type.Optional(Type.String({ maxLength: 255 })),
        role: Type.Optional(Type.String({ maxLength: 63 })),
        permissions: Type.Optional(names),
        expires_at: Type.Optional(Type.Union([Type.String({ format: 'date-time' }), Type.Null()])),
      }),
      handle: async ({ who, body, facts, reply }) => {
        reply.header('cache-control', 'no-store')
        if (body.name.trim() === '') throw badRequest('token name is required')
        await own(who, body.user_email)
        const permissions = body.permissions?.length ? permissionsIn(body.permissions) : undefined
        if (permissions === undefined && body.role === undefined) throw badRequest('permissions required: or a role')
        if (permissions === undefined && !(await findRoles(db, who.tenant)).has(body.role ?? ''))
          throw badRequest(`invalid role: ${body.role ?? ''}`)
        const expiresAt = body.expires_at == null ? undefined : new Date(body.expires_at)
        const draft = { name: body.name, role: body.role, permissions, expiresAt }
        const { id, text } = await retell(tokens.make(who, draft, facts), failures)
        const made = tokenOnWire(await find(who, id))
        return { token: text, id: made.public_id, name: made.name, permissions: made.permissions, api_token: made }
      },
    }),
    route({
      does: 'Change the name or permissions of an API token',
      method: 'PUT',
      path: '/api-tokens/:tokenID',
      needs: 'tokens:write',
      factor: 'always',
      bodyBytesMax: 32_768,
      params,
      body: Type.Object({ name: Type.Optional(tokenName), permissions: Type.Optional(names) }),
      handle: async ({ who, params: { tokenID }, body, facts }) => {
        const { name, permissions } = body
        if (name?.trim() === '') throw badRequest('token name is required')
        if (permissions?.length === 0) throw badRequest('permissions required: a token without any would do nothing')
        const { id } = await find(who, tokenID)
        const change = { name, permissions: permissions && permissionsIn(permissions) }
        await retell(tokens.change(who, id, change, facts), failures)
        return tokenOnWire(await find(who, id))
      },
    }),
    route({
      does: 'Revoke an API token',
      method: 'DELETE',
      path: '/api-tokens/:tokenID',
      needs: 'tokens:write',
      factor: 'always',
      params,
      answersItself: true,
      handle: async ({ who, params: { tokenID }, facts, reply }) => {
        const { id } = await find(who, tokenID)
        await retell(tokens.revoke(who, id, facts), failures)
        await reply.code(204).send()
      },
    }),
  ]
}

function permissionsIn(given: readonly string[]): Permission[] {
  const unknown = given.filter((name) => !isPermission(name) || !permissionRows[name].forTokens)
  if (unknown.length > 0)
    throw badRequest(`invalid permissions: ${unknown.join(', ')}. GET /api/v1/api-tokens/permissions lists them`)
  return [...new Set(given)].filter(isPermission)
}

function isId(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
}

function tokenOnWire(row: TokenRow) {
  return {
    id: row.wireNo,
    public_id: row.id,
    name: row.name,
    user_id: row.ownerNo,
    permissions: [...row.permissions],
    created_at: row.madeAt.toISOString(),
    expires_at: row.expiresAt?.toISOString() ?? null,
    last_used_at: row.lastUsedAt?.toISOString() ?? null,
    ...present({
      created_by_user_id: row.maker?.no,
      created_by_email: row.maker?.email,
      created_by_name: row.maker?.name,
    }),
  }
}
