import { emailText, nameText, Type } from '@countersign/wire'
import { findRoles } from '../../features/access/index.ts'
import { type ListedPerson, listPeople, type ManagePeople, statusOf } from '../../features/people/index.ts'
import { type Caller, type Route, route } from '../../features/roles/index.ts'
import type { OthersSessions } from '../../features/sessions/index.ts'
import type { Sql } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { badRequest, grantsIn, kindWords, notFoundAs, present, retell, roleWords } from './words.ts'

type Needs = {
  readonly db: Sql
  readonly clock: { readonly now: () => Date }
  readonly people: ManagePeople
  readonly sessions: OthersSessions
}

const params = Type.Object({ email: Type.String({ minLength: 1, maxLength: 255 }) })
const personName = nameText({ max: 120 })
const roles = Type.Array(Type.String({ minLength: 1, maxLength: 150 }), { maxItems: 50 })
const writes = { needs: 'people:write', factor: 'always', params, bodyBytesMax: 16_384 } as const

/** People and roles as Rack Gateway's clients manage them (gateway §3.8), by address. Unknown fields never fail a request. */
export function rackUserRoutes({ db, clock, people, sessions }: Needs): readonly Route[] {
  const find = async (who: Caller, email: string): Promise<ListedPerson> => {
    const [row] = await listPeople(db, who.tenant, { email }, clock.now())
    if (!row) throw notFoundAs('user not found')
    return row
  }
  const view = async (who: Caller, email: string) => userOnWire(await find(who, email), clock.now())
  const taken = { not_found: 'user not found', conflict: 'email already in use' } as const

  return [
    route({
      does: 'List roles',
      method: 'GET',
      path: '/roles',
      needs: 'roles:read',
      handle: async ({ who }) => {
        const found = [...(await findRoles(db, who.tenant)).values()]
        return Object.fromEntries(
          found.map(({ name, title, description, permissions }) => [
            name,
            { name, label: title, description, permissions: [...permissions] },
          ]),
        )
      },
    }),
    route({
      does: 'List people',
      method: 'GET',
      path: '/users',
      needs: 'people:read',
      handle: async ({ who }) =>
        (await listPeople(db, who.tenant, {}, clock.now())).map((row) => userOnWire(row, clock.now())),
    }),
    route({
      does: 'Show a person',
      method: 'GET',
      path: '/users/:email',
      needs: 'people:read',
      params,
      handle: ({ who, params: { email } }) => view(who, email),
    }),
    route({
      does: 'Invite somebody',
      method: 'POST',
      path: '/users',
      needs: 'people:write',
      factor: 'always',
      status: 201,
      bodyBytesMax: 16_384,
      body: Type.Object({ email: emailText, name: personName, roles }),
      handle: async ({ who, body, facts, reply }) => {
        reply.header('cache-control', 'no-store')
        if (body.roles.length === 0) throw badRequest('roles cannot be empty')
        const draft = { email: body.email, name: body.name, roles: grantsIn(body.roles) }
        // Signing in with an identity provider takes the invitation up; the link is for where there is none.
        const made = await retell(people.invite(who, draft, facts), { conflict: 'user already exists' })
        return {
          email: body.email,
          name: body.name,
          roles: body.roles,
          created_by_email: who.email,
          invitation_link: made.link,
          invitation_expires_at: made.expiresAt.toISOString(),
        }
      },
    }),
    route({
      does: 'Change a person’s name, address or roles',
      method: 'PUT',
      path: '/users/:email',
      ...writes,
      body: Type.Object({
        name: Type.Optional(personName),
        email: Type.Optional(Type.Union([emailText, Type.Literal('')])),
        roles: Type.Optional(roles),
      }),
      handle: async ({ who, params, body, facts }) => {
        const { name, email, roles: wanted } = body
        if (name === undefined && email === undefined && wanted === undefined) throw badRequest('no fields provided')
        if (email === '') throw badRequest('email cannot be empty')
        if (wanted?.length === 0) throw badRequest('roles cannot be empty')
        const { id } = await find(who, params.email)
        const isOwn = id === who.id && wanted !== undefined
        const own = { kind: problems.malformed, error: 'cannot change your own roles' }
        const change = { name, email, roles: wanted && grantsIn(wanted) }
        await retell(people.change(who, id, change, facts), { ...taken, ...(isOwn && { forbidden: own }) })
        return view(who, email ?? params.email)
      },
    }),
    route({
      does: 'Change a person’s name',
      method: 'PUT',
      path: '/users/:email/name',
      ...writes,
      factor: 'step-up',
      body: Type.Object({ name: personName }),
      handle: async ({ who, params, body, facts }) => {
        const { id } = await find(who, params.email)
        await retell(people.change(who, id, { name: body.name }, facts), taken)
        return view(who, params.email)
      },
    }),
    route({
      does: 'Remove somebody; what they did stays on record',
      method: 'DELETE',
      path: '/users/:email',
      ...writes,
      answersItself: true,
      handle: async ({ who, params, facts, reply }) => {
        const { id } = await find(who, params.email)
        if (id === who.id) throw badRequest('cannot delete yourself')
        await retell(people.remove(who, id, facts), { not_found: 'user not found' })
        await reply.code(204).send()
      },
    }),
    route({
      does: 'List the sessions of a person',
      method: 'GET',
      path: '/users/:email/sessions',
      needs: 'people:read',
      params,
      handle: async ({ who, params: { email } }) => {
        const rows = await sessions.list(who.tenant, (await find(who, email)).id)
        return rows.map((row) => ({
          id: row.wireNo,
          created_at: row.madeAt.toISOString(),
          last_seen_at: row.lastSeenAt.toISOString(),
          expires_at: row.expiresAt.toISOString(),
          channel: row.channel,
          ip_address: row.address,
          user_agent: row.agent,
          ...present({ metadata: row.device === null ? null : { device_name: row.device } }),
        }))
      },
    }),
    route({
      does: 'End one session of a person',
      method: 'POST',
      path: '/users/:email/sessions/:sessionID/revoke',
      ...writes,
      params: Type.Object({ ...params.properties, sessionID: Type.Integer({ minimum: 1 }) }),
      handle: async ({ who, params: { email, sessionID }, facts }) => {
        const { id } = await find(who, email)
        const session = (await sessions.list(who.tenant, id)).find(({ wireNo }) => wireNo === sessionID)
        if (!session) throw notFoundAs('session not found')
        const ended = sessions.end(who, id, { only: session.id }, facts)
        return { revoked: (await retell(ended, { not_found: 'session not found' })) > 0 }
      },
    }),
    route({
      does: 'End all sessions of a person',
      method: 'POST',
      path: '/users/:email/sessions/revoke_all',
      ...writes,
      handle: async ({ who, params: { email }, facts }) => ({
        revoked_count: await sessions.end(who, (await find(who, email)).id, {}, facts),
      }),
    }),
    route({
      does: 'Lock somebody out',
      method: 'POST',
      path: '/users/:email/lock',
      ...writes,
      body: Type.Object({ reason: Type.String({ minLength: 1, maxLength: 500 }) }),
      handle: async ({ who, params: { email }, body, facts }) => {
        await people.lock(who, (await find(who, email)).id, body.reason, facts)
        return { message: 'user locked' }
      },
    }),
    route({
      does: 'Lift a lock',
      method: 'POST',
      path: '/users/:email/unlock',
      ...writes,
      handle: async ({ who, params: { email }, facts }) => {
        const { id, lockedAt } = await find(who, email)
        if (!lockedAt) throw new Problem(problems.conflict, 'user is not locked')
        await people.unlock(who, id, facts)
        return { message: 'user unlocked' }
      },
    }),
  ]
}

function userOnWire(row: ListedPerson, now: Date) {
  const isLocked = statusOf(row, now) === 'locked'
  const changes = [row.madeAt, row.joinedAt, row.suspendedAt, row.lockedAt].map((at) => at?.getTime() ?? 0)
  return {
    id: row.wireNo,
    email: row.email,
    name: row.name,
    roles: roleWords(row.grants),
    created_at: row.madeAt.toISOString(),
    updated_at: new Date(Math.max(...changes)).toISOString(),
    suspended: row.suspendedAt !== null,
    mfa_enrolled: row.isEnrolled,
    ...present({
      preferred_mfa_method: row.preferredFactor && kindWords[row.preferredFactor],
      locked_at: isLocked ? row.lockedAt?.toISOString() : null,
      locked_reason: isLocked ? row.lockedReason : null,
      locked_by_user_id: isLocked ? row.lockedBy?.no : null,
      locked_by_email: isLocked ? row.lockedBy?.email : null,
      locked_by_name: isLocked ? row.lockedBy?.name : null,
      created_by_user_id: row.maker?.no,
      created_by_email: row.maker?.email,
      created_by_name: row.maker?.name,
    }),
  }
}
