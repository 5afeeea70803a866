import {
  invitation,
  invitationDraft,
  linkAcceptance,
  linkBody,
  linkState,
  pageOf,
  peopleQuery,
  person,
  personChange,
  personParams,
  personReason,
  type roleGrant,
  type Static,
  Type,
} from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import { authorityOf, type Caller, type Person, type RequestFacts, type Route, route } from '../roles/index.ts'
import { findTenantName } from '../tenants/index.ts'
import type { Grant } from './grants-table.ts'
import { type ListedPerson, listPeople } from './list-people.ts'
import type { ManagePeople } from './manage-people.ts'
import { statusOf } from './people-table.ts'
import type { UseLinks } from './person-links.ts'

type Needs = {
  readonly db: Sql
  readonly clock: { readonly now: () => Date }
  readonly people: ManagePeople
  /** How many sessions each person has at this moment. */
  readonly countSessions: (tenant: string) => Promise<ReadonlyMap<string, number>>
}

export function peopleRoutes({ db, clock, people, countSessions }: Needs): readonly Route[] {
  const list = async (who: Caller, filter: Parameters<typeof listPeople>[2]) => {
    const [rows, sessions] = await Promise.all([
      listPeople(db, who.tenant, filter, clock.now()),
      countSessions(who.tenant),
    ])
    return rows.map((row) => personOnWire(row, who, sessions.get(row.id) ?? 0, clock.now()))
  }
  const read = async (who: Caller, id: string) => {
    const [one] = await list(who, { id })
    if (!one) throw notFound('person')
    return one
  }
  const acts = (
    does: string,
    method: 'POST' | 'DELETE',
    path: string,
    work: (who: Person, id: string, facts: RequestFacts) => Promise<void>,
  ): Route =>
    route({
      does,
      method,
      path,
      needs: 'people:write',
      factor: 'step-up',
      params: personParams,
      answers: person,
      handle: async ({ who, params: { id }, facts }) => {
        await work(who, id, facts)
        return read(who, id)
      },
    })
  const withReason = (
    does: string,
    path: string,
    work: (who: Person, id: string, reason: string, facts: RequestFacts) => Promise<void>,
  ): Route =>
    route({
      does,
      method: 'POST',
      path,
      needs: 'people:write',
      factor: 'step-up',
      params: personParams,
      body: personReason,
      answers: person,
      handle: async ({ who, params: { id }, body, facts }) => {
        await work(who, id, body.reason, facts)
        return read(who, id)
      },
    })
  return [
    route({
      does: 'List people',
      method: 'GET',
      path: '/people',
      needs: 'people:read',
      query: Type.Object(peopleQuery.properties),
      answers: pageOf(person),
      handle: async ({ who, query: { status, role, q } }) => {
        const items = await list(who, { status, role, text: q })
        return { items, next_cursor: null, total: items.length }
      },
    }),
    route({
      does: 'Show a person',
      method: 'GET',
      path: '/people/:id',
      needs: 'people:read',
      params: personParams,
      answers: person,
      handle: ({ who, params: { id } }) => read(who, id),
    }),
    route({
      does: 'Invite somebody; the link is shown this once',
      method: 'POST',
      path: '/people',
      needs: 'people:write',
      factor: 'step-up',
      status: 201,
      body: invitationDraft,
      answers: invitation,
      handle: async ({ who, body, facts, reply }) => {
        reply.header('cache-control', 'no-store')
        const { id, link, expiresAt } = await people.invite(who, { ...body, roles: grantsIn(body.roles) }, facts)
        return { person_id: id, link, expires_at: expiresAt.toISOString() }
      },
    }),
    route({
      does: 'Change a person’s name, address or roles',
      method: 'PATCH',
      path: '/people/:id',
      needs: 'people:write',
      factor: 'step-up',
      params: personParams,
      body: personChange,
      answers: person,
      handle: async ({ who, params: { id }, body, facts }) => {
        await people.change(who, id, { ...body, roles: body.roles && grantsIn(body.roles) }, facts)
        return read(who, id)
      },
    }),
    route({
      does: 'Make a new link for somebody who lost the invitation or the password',
      method: 'POST',
      path: '/people/:id/link',
      needs: 'people:write',
      factor: 'always',
      status: 201,
      params: personParams,
      answers: invitation,
      handle: async ({ who, params: { id }, facts, reply }) => {
        reply.header('cache-control', 'no-store')
        const { link, expiresAt } = await people.newLink(who, id, facts)
        return { person_id: id, link, expires_at: expiresAt.toISOString() }
      },
    }),
    withReason('Suspend somebody until it is lifted', '/people/:id/suspension', people.suspend),
    acts('Lift a suspension', 'DELETE', '/people/:id/suspension', people.resume),
    withReason('Lock somebody out', '/people/:id/lock', people.lock),
    acts('Lift a lock', 'DELETE', '/people/:id/lock', people.unlock),
    route({
      does: 'Remove somebody; what they did stays on record',
      method: 'DELETE',
      path: '/people/:id',
      needs: 'people:write',
      factor: 'always',
      params: personParams,
      answers: Type.Object({ id: Type.String() }),
      handle: async ({ who, params: { id }, facts }) => {
        await people.remove(who, id, facts)
        return { id }
      },
    }),
  ]
}

type LinkNeeds = {
  readonly db: Sql
  readonly clock: { readonly now: () => Date }
  readonly links: UseLinks
  readonly cookie: (token: string, maxAgeSeconds: number) => string
}

export function linkRoutes({ db, clock, links, cookie }: LinkNeeds): readonly Route[] {
  return [
    route({
      does: 'Tell whose link it is',
      method: 'POST',
      path: '/links/state',
      needs: 'anyone',
      bodyBytesMax: 4096,
      body: linkBody,
      answers: linkState,
      handle: async ({ body, facts }) => {
        const { link, person: whose } = await links.look(body.link, facts)
        return {
          purpose: link.purpose,
          email: whose.email,
          name: whose.name,
          tenant: (await findTenantName(db, link.tenant)) ?? '',
          expires_at: link.expiresAt.toISOString(),
        }
      },
    }),
    route({
      does: 'Take up an invitation, or set a new password, by a link',
      method: 'POST',
      path: '/links/acceptance',
      needs: 'anyone',
      bodyBytesMax: 4096,
      body: linkAcceptance,
      answers: Type.Object({ expires_at: Type.String() }),
      handle: async ({ body, facts, reply }) => {
        const { token, expiresAt } = await links.accept(body, facts)
        reply.header('set-cookie', cookie(token, (expiresAt.getTime() - clock.now().getTime()) / 1000))
        return { expires_at: expiresAt.toISOString() }
      },
    }),
  ]
}

function personOnWire(row: ListedPerson, who: Caller, sessions: number, now: Date) {
  const status = statusOf(row, now)
  if (status === 'removed') throw new Error('Removed people are not listed')
  const isSuspended = status === 'suspended'
  const isLocked = status === 'locked'
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    status,
    status_reason: isSuspended ? row.suspendedReason : isLocked ? row.lockedReason : null,
    status_since: (isSuspended ? row.suspendedAt : isLocked ? row.lockedAt : null)?.toISOString() ?? null,
    locked_until: isLocked ? (row.lockedUntil?.toISOString() ?? null) : null,
    roles: row.grants.map(({ role, environment, rack }) => ({ role, environment, rack })),
    permissions: [...authorityOf(row.grants, []).permissions],
    has_password: row.passwordHash !== null,
    identities: row.identities.map(({ provider, last_used_at }) => ({
      provider,
      last_used_at: last_used_at === null ? null : new Date(last_used_at).toISOString(),
    })),
    factors: row.factors.map(({ kind, since, last_used_at }) => ({
      kind,
      since: new Date(since).toISOString(),
      last_used_at: last_used_at === null ? null : new Date(last_used_at).toISOString(),
    })),
    sessions,
    last_signed_in_at: row.lastSignedInAt?.toISOString() ?? null,
    made_at: row.madeAt.toISOString(),
    made_by: row.madeBy === null ? null : { id: row.madeBy, label: row.madeByLabel ?? row.madeBy },
    invitation_expires_at: row.invitationExpiresAt?.toISOString() ?? null,
    is_you: row.id === who.id,
  }
}

function grantsIn(roles: readonly Static<typeof roleGrant>[]): Grant[] {
  return roles.map(({ role, environment, rack = null }) => ({ role, environment, rack }))
}
