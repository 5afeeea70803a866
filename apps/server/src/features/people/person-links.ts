import type { Bus } from '../../kernel/bus.ts'
import { hashPassword, type Keyring, randomToken } from '../../kernel/crypto.ts'
import type { Db, Sql, Tx } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import type { TakeFromLimit } from '../limits/index.ts'
import type { RequestFacts } from '../roles/index.ts'
import type { RecordAct } from '../trail/index.ts'
import { isAdministrator } from './grants-table.ts'
import { findLink, type LinkPurpose, type LinkRow, replaceLink, takeLink } from './links-table.ts'
import { checkPassword } from './password-policy.ts'
import { findPerson, type PersonRow, setPassword, statusOf, updatePerson } from './people-table.ts'

const lifeMs: Readonly<Record<LinkPurpose, number>> = {
  invitation: 7 * 86_400_000,
  password: 86_400_000,
  recovery: 30 * 60_000,
}

/** What taking each up is called in the trail, and how it is said that somebody came in. */
const told = {
  invitation: { act: 'person.joined', credential: 'invitation', session: 'invitation' },
  password: { act: 'password.changed', credential: 'link', session: 'invitation' },
  recovery: { act: 'person.recovered', credential: 'recovery', session: 'recovery' },
} as const

type MakeNeeds = {
  readonly clock: { readonly now: () => Date }
  readonly newId: () => string
  readonly keyring: Keyring
  readonly baseUrl: string
}

export type MakeLink = (
  tx: Tx,
  order: Pick<LinkRow, 'tenant' | 'person' | 'purpose'> & { readonly by: string },
) => Promise<{ readonly link: string; readonly expiresAt: Date }>

/** The token stands behind a #: browsers keep that part to themselves, so no server's or proxy's log has it. */
export function makeLink({ clock, newId, keyring, baseUrl }: MakeNeeds): MakeLink {
  return async (tx, { tenant, person, purpose, by }) => {
    const token = randomToken()
    const madeAt = clock.now()
    const expiresAt = new Date(madeAt.getTime() + lifeMs[purpose])
    const digest = keyring.digest('person-link', token)
    await replaceLink(tx, { tenant, person, purpose, expiresAt, id: newId(), digest, by, madeAt })
    return { link: `${baseUrl}/join#${token}`, expiresAt }
  }
}

type UseNeeds = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly keyring: Keyring
  readonly takeFromLimit: TakeFromLimit
  readonly tell: {
    readonly bus: Pick<Bus, 'announce'>
    readonly recordAct: RecordAct
    readonly takesPassword: (tenant: string) => Promise<boolean>
    readonly endSessionsOf: (tx: Tx, tenant: string, person: string) => Promise<number>
    readonly start: (tx: Tx, person: PersonRow, credential: string, facts: RequestFacts) => Promise<Started>
    /** Somebody got back in by a link that was made on the server's machine. */
    readonly recovered: (tx: Tx, person: PersonRow) => Promise<void>
  }
}

type Started = { readonly token: string; readonly expiresAt: Date }

export type UseLinks = ReturnType<typeof useLinks>

/** What whoever opens a link may do with it: look whose it is, and set a password, once. */
export function useLinks({ db, clock, keyring, takeFromLimit, tell }: UseNeeds) {
  const limit = async ({ address }: RequestFacts): Promise<void> => {
    const taken = await takeFromLimit({ scope: 'link-address', subject: address, max: 30, windowSeconds: 300 })
    if (taken.isAllowed) return
    throw new Problem(problems.tooManyRequests, 'Too many attempts. Wait a moment.', {
      retryAfterSeconds: taken.retryAfterSeconds,
    })
  }
  const personOf = async (sql: Sql, link: LinkRow | undefined): Promise<PersonRow> => {
    const person = link && (await findPerson(sql, link.tenant, link.person))
    const status = person && statusOf(person, clock.now())
    if (!person || status === 'suspended' || status === 'locked') throw worthless()
    // Taken up already, at an identity provider: whoever finds the link later does not become them.
    if (link.purpose === 'invitation' && status !== 'invited') throw worthless()
    if (link.purpose === 'recovery') {
      // Made for an administrator; whoever was demoted since is none.
      if (await isAdministrator(sql, person.tenant, person.id)) return person
      throw worthless()
    }
    // A link would otherwise let somebody in past the provider, and past the factors it asks for.
    if (!(await tell.takesPassword(person.tenant))) {
      throw new Problem(
        problems.forbidden,
        'Passwords are switched off here. Sign in with your identity provider: that takes the invitation up.',
      )
    }
    return person
  }
  return {
    look: async (token: string, facts: RequestFacts): Promise<{ link: LinkRow; person: PersonRow }> => {
      await limit(facts)
      const link = await findLink(db, keyring.digests('person-link', token), clock.now())
      const person = await personOf(db, link)
      if (!link) throw worthless()
      return { link, person }
    },
    accept: async (
      given: { readonly link: string; readonly password: string; readonly name?: string | undefined },
      facts: RequestFacts,
    ): Promise<Started> => {
      await limit(facts)
      checkPassword(given.password)
      const digests = keyring.digests('person-link', given.link)
      // Looked at before the costly digest of the password, so that strangers cannot make us work.
      await personOf(db, await findLink(db, digests, clock.now()))
      const hash = await hashPassword(given.password)
      return db.inTx(async (tx) => {
        const link = await takeLink(tx, digests, clock.now())
        const person = await personOf(tx, link)
        if (!link) throw worthless()
        const { tenant, id } = person
        await setPassword(tx, tenant, id, hash)
        if (given.name !== undefined && link.purpose === 'invitation')
          await updatePerson(tx, tenant, id, { name: given.name })
        const ended = await tell.endSessionsOf(tx, tenant, id)
        const { act, credential, session } = told[link.purpose]
        await tell.recordAct(tx, {
          tenant,
          act,
          actor: { kind: 'person', id, credential },
          subject: { kind: 'person', id },
          request: facts,
          details: { sessions_ended: ended },
          personal: { actor: { email: person.email } },
        })
        await tell.bus.announce(tx, { topic: 'person.changed', tenant, body: { person_id: id } })
        if (link.purpose === 'recovery') await tell.recovered(tx, person)
        return tell.start(tx, person, session, facts)
      })
    },
  }
}

function worthless(): Problem {
  return new Problem(
    problems.notFound,
    'This link was used already, has expired or was replaced by a newer one. Ask whoever sent it for another.',
  )
}
