import type { JsonObject } from '@countersign/trail'
import type { Bus } from '../../kernel/bus.ts'
import { type Db, isUniqueViolation, type Tx } from '../../kernel/db.ts'
import { invalidInput, notFound, Problem, problems } from '../../kernel/problem.ts'
import { findRoles, type Role } from '../access/index.ts'
import { listEnvironments } from '../environments/index.ts'
import { type Authority, covers, type Person, placeWords, type RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import {
  countAdministrators,
  deleteGrants,
  findAuthority,
  type Grant,
  holdAccess,
  insertGrant,
  listGrants,
} from './grants-table.ts'
import { deleteLink } from './links-table.ts'
import {
  findPerson,
  insertPerson,
  liftLock,
  liftSuspension,
  lockRow,
  type PersonChange,
  type PersonRow,
  removeRow,
  statusOf,
  suspendRow,
  updatePerson,
} from './people-table.ts'
import type { MakeLink } from './person-links.ts'

export type EndSessionsOf = (tx: Tx, tenant: string, person: string) => Promise<number>

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly newId: () => string
  readonly makeLink: MakeLink
  readonly tell: {
    readonly bus: Pick<Bus, 'announce'>
    readonly recordAct: RecordAct
    readonly endSessionsOf: EndSessionsOf
    /** What machines of somebody who leaves held. */
    readonly revokeTokensOf: (tx: Tx, tenant: string, owner: string, by: string) => Promise<number>
  }
}

/** What an act sees of the one it is about, after the locks are held. */
type Case = { readonly tx: Tx; readonly person: PersonRow; readonly grants: readonly Grant[]; readonly roles: Roles }
type Roles = ReadonlyMap<string, Role>
type Told = { readonly act: string; readonly details?: JsonObject; readonly endsSessions?: boolean }

export type ManagePeople = ReturnType<typeof managePeople>

/**
 * What people do with people. Nobody touches somebody who holds more than they do, grants more than they hold, or
 * changes what they themselves may do; and there is always an administrator left who can sign in.
 */
export function managePeople({ db, clock, newId, makeLink, tell }: Needs) {
  const write = async (tx: Tx, who: Person, person: string, grants: readonly Grant[]): Promise<void> => {
    for (const grant of grants)
      await insertGrant(tx, { ...grant, tenant: who.tenant, id: newId(), person, by: who.id }, clock.now())
  }

  /** One act on one person: locks, checks who may, does it, tells it, and makes sure that somebody is left in charge. */
  const act = (
    who: Person,
    id: string,
    facts: RequestFacts,
    work: (about: Case, authority: Authority) => Promise<Told>,
  ): Promise<void> =>
    db.inTx(async (tx) => {
      await holdAccess(tx, who.tenant)
      const person = await findPerson(tx, who.tenant, id)
      if (!person) throw notFound('person')
      const [grants, roles] = await Promise.all([listGrants(tx, who.tenant, id), findRoles(tx, who.tenant)])
      // Who asks as of now, not as of when the request came in: a demotion may just have been committed.
      const authority = await findAuthority(tx, who.tenant, who.id)
      demandCover(authority, grants, roles, `${person.email} holds more than you do, so you cannot change them.`)
      const { act: name, details, endsSessions = false } = await work({ tx, person, grants, roles }, authority)
      const ended = endsSessions ? await tell.endSessionsOf(tx, who.tenant, id) : 0
      if ((await countAdministrators(tx, who.tenant, clock.now())) === 0) throw lastAdministrator()
      await tell.recordAct(tx, {
        tenant: who.tenant,
        act: name,
        ...actorOf(who),
        subject: { kind: 'person', id },
        request: facts,
        details: { ...details, ...(endsSessions && { sessions_ended: ended }) },
        personal: { ...actorOf(who).personal, subject: { email: person.email } },
      })
      await tell.bus.announce(tx, { topic: 'person.changed', tenant: who.tenant, body: { person_id: id } })
    })

  return {
    /** The link is shown this once, to whoever invites: it is theirs to pass on. */
    invite: (
      who: Person,
      draft: { readonly email: string; readonly name?: string | undefined; readonly roles: readonly Grant[] },
      facts: RequestFacts,
    ): Promise<{ id: string; link: string; expiresAt: Date }> =>
      db.inTx(async (tx) => {
        await holdAccess(tx, who.tenant)
        const roles = await findRoles(tx, who.tenant)
        await checkGrants(tx, who, await findAuthority(tx, who.tenant, who.id), draft.roles, roles)
        const { tenant } = who
        const { email, name = email.split('@')[0] ?? email } = draft
        const id = newId()
        const made = { tenant, id, email, name, passwordHash: null, madeBy: who.id, hasJoined: false }
        await insertPerson(tx, made, clock.now()).catch(takenAddress(email))
        await write(tx, who, id, draft.roles)
        const link = await makeLink(tx, { tenant, person: id, purpose: 'invitation', by: who.id })
        await tell.recordAct(tx, {
          tenant,
          act: 'person.invited',
          ...actorOf(who),
          subject: { kind: 'person', id },
          request: facts,
          details: { roles: grantsOnRecord(draft.roles), expires_at: link.expiresAt.toISOString() },
          personal: { ...actorOf(who).personal, subject: { email, name } },
        })
        return { id, ...link }
      }),

    /** A new address ends all sessions: whoever reads the old mailbox is somebody else now. So does a change of roles. */
    change: (
      who: Person,
      id: string,
      change: PersonChange & { readonly roles?: readonly Grant[] | undefined },
      facts: RequestFacts,
    ): Promise<void> =>
      act(who, id, facts, async ({ tx, person, grants, roles }, authority) => {
        const { roles: wanted, ...words } = change
        const isMoved = words.email !== undefined && words.email !== person.email
        const isRegranted = wanted !== undefined && !sameGrants(grants, wanted)
        if (isRegranted) {
          if (id === who.id)
            throw new Problem(problems.forbidden, 'Nobody changes their own roles. Ask another administrator.')
          await checkGrants(tx, who, authority, wanted, roles)
          await deleteGrants(tx, who.tenant, id)
          await write(tx, who, id, wanted)
        }
        await updatePerson(tx, who.tenant, id, words).catch(takenAddress(words.email ?? ''))
        if (isMoved) await deleteLink(tx, who.tenant, id)
        const sides = isRegranted && { before: grantsOnRecord(grants), after: grantsOnRecord(wanted) }
        return {
          act: 'person.changed',
          details: {
            changed: [
              ...(words.name !== undefined ? ['name'] : []),
              ...(isMoved ? ['email'] : []),
              ...(isRegranted ? ['roles'] : []),
            ],
            ...(sides && { before: { roles: sides.before }, after: { roles: sides.after } }),
          },
          endsSessions: isMoved || isRegranted,
        }
      }),

    suspend: (who: Person, id: string, reason: string, facts: RequestFacts): Promise<void> =>
      act(who, id, facts, async ({ tx, person }) => {
        notOneself(who, id)
        if (person.suspendedAt) throw new Problem(problems.conflict, `${person.email} is suspended already.`)
        await suspendRow(tx, who.tenant, id, who.id, reason, clock.now())
        return { act: 'person.suspended', details: { reason }, endsSessions: true }
      }),

    resume: (who: Person, id: string, facts: RequestFacts): Promise<void> =>
      act(who, id, facts, async ({ tx, person }) => {
        if (!person.suspendedAt) throw new Problem(problems.conflict, `${person.email} is not suspended.`)
        await liftSuspension(tx, who.tenant, id)
        return { act: 'person.resumed' }
      }),

    lock: (who: Person, id: string, reason: string, facts: RequestFacts): Promise<void> =>
      act(who, id, facts, async ({ tx }) => {
        notOneself(who, id)
        await lockRow(tx, who.tenant, id, { by: who.id, reason, at: clock.now(), until: null })
        return { act: 'person.locked', details: { reason }, endsSessions: true }
      }),

    unlock: (who: Person, id: string, facts: RequestFacts): Promise<void> =>
      act(who, id, facts, async ({ tx, person }) => {
        if (!person.lockedAt) throw new Problem(problems.conflict, `${person.email} is not locked.`)
        await liftLock(tx, who.tenant, id)
        return { act: 'person.unlocked' }
      }),

    remove: (who: Person, id: string, facts: RequestFacts): Promise<void> =>
      act(who, id, facts, async ({ tx, grants }) => {
        notOneself(who, id)
        const tokens = await tell.revokeTokensOf(tx, who.tenant, id, who.id)
        await deleteGrants(tx, who.tenant, id)
        await deleteLink(tx, who.tenant, id)
        await removeRow(tx, who.tenant, id, who.id, clock.now())
        return {
          act: 'person.removed',
          details: { before: { roles: grantsOnRecord(grants) }, tokens_revoked: tokens },
          endsSessions: true,
        }
      }),

    /** For somebody who lost the invitation or the password. The link before works no more. */
    newLink: async (who: Person, id: string, facts: RequestFacts): Promise<{ link: string; expiresAt: Date }> => {
      let made: { link: string; expiresAt: Date } | undefined
      await act(who, id, facts, async ({ tx, person }) => {
        const status = statusOf(person, clock.now())
        if (status !== 'active' && status !== 'invited')
          throw new Problem(problems.conflict, `${person.email} is ${status}. Lift that first.`)
        const purpose = status === 'invited' ? 'invitation' : 'password'
        made = await makeLink(tx, { tenant: who.tenant, person: id, purpose, by: who.id })
        return { act: 'person.link_made', details: { purpose, expires_at: made.expiresAt.toISOString() } }
      })
      if (!made) throw new Error('The act makes it or throws')
      return made
    },
  }
}

async function checkGrants(
  tx: Tx,
  who: Person,
  authority: Authority,
  grants: readonly Grant[],
  roles: Roles,
): Promise<void> {
  const environments = new Set((await listEnvironments(tx, who.tenant)).map(({ name }) => name))
  for (const { role, environment } of grants) {
    const found = roles.get(role)
    if (!found) throw invalidInput('body.roles', `There is no role ${role}.`)
    if (!found.forPeople) throw invalidInput('body.roles', `${role} is for API tokens only.`)
    if (environment !== null && !environments.has(environment))
      throw invalidInput('body.roles', `There is no environment ${environment}.`)
  }
  if (new Set(grants.map(keyOf)).size < grants.length) throw invalidInput('body.roles', 'Name each role once.')
  demandCover(authority, grants, roles, 'Nobody grants more than they hold.')
}

function demandCover(authority: Authority, grants: readonly Grant[], roles: Roles, why: string): void {
  for (const { role, environment, rack } of grants) {
    if (covers(authority, roles.get(role)?.permissions ?? [], environment, rack)) continue
    const where = placeWords({ environment, rack }) || 'everywhere'
    throw new Problem(problems.forbidden, `${why} You do not hold all of ${role} ${where}.`)
  }
}

function notOneself(who: Person, id: string): void {
  if (id !== who.id) return
  throw new Problem(problems.forbidden, 'Nobody does this to themselves. Ask another administrator.')
}

function lastAdministrator(): Problem {
  return new Problem(
    problems.conflict,
    'This is the last administrator who can sign in. Make somebody else an administrator first.',
  )
}

function takenAddress(email: string) {
  return (cause: unknown): never => {
    if (!isUniqueViolation(cause, 'people_by_email')) throw cause
    // In whichever tenant: the words are the same, and say no more than the refusal itself does.
    throw new Problem(problems.conflict, `${email} already belongs to somebody.`, { cause })
  }
}

const keyOf = ({ role, environment, rack }: Grant): string => `${role} ${environment ?? ''} ${rack ?? ''}`

function sameGrants(one: readonly Grant[], other: readonly Grant[]): boolean {
  const keys = (grants: readonly Grant[]): string => grants.map(keyOf).sort().join('\n')
  return keys(one) === keys(other)
}

function grantsOnRecord(grants: readonly Grant[]) {
  return grants.map(({ role, environment, rack }) => ({ role, environment, rack }))
}
