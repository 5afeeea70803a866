import { type Keyring, randomToken } from '../../kernel/crypto.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import { notFound } from '../../kernel/problem.ts'
import {
  type AdmitNewcomer,
  findByEmail,
  findPerson,
  type GiveRoles,
  type PersonRow,
  statusOf,
} from '../people/index.ts'
import type { RequestFacts } from '../roles/index.ts'
import { insertAttempt, type StartSession, takeAttempt } from '../sessions/index.ts'
import type { RecordAct } from '../trail/index.ts'
import type { AskProvider, Challenge } from './ask-provider.ts'
import { bindIdentity, findIdentity } from './identities-table.ts'
import { type Proven, type Provider, SignInRefused, safeReturn } from './provider.ts'

type Needs = {
  readonly kernel: {
    readonly db: Db
    readonly clock: { readonly now: () => Date }
    readonly newId: () => string
    readonly keyring: Keyring
    readonly sealing: Keyring
    readonly log: Pick<Log, 'warn'>
  }
  readonly providers: readonly Provider[]
  readonly baseUrl: string
  readonly ask: AskProvider
  readonly tell: {
    readonly recordAct: RecordAct
    readonly start: StartSession
    readonly giveRoles: GiveRoles
    readonly admitNewcomer: AdmitNewcomer
  }
}

/** What is kept, sealed, while the browser is at the provider. */
type Errand = Challenge & { readonly binding: string; readonly returnTo: string }

export const attemptSeconds = 600

export type SignInWithProvider = ReturnType<typeof signInWithProvider>

/**
 * Sign-in at an identity provider: the browser is sent there with a state, a nonce and a challenge that exist once, and
 * what it brings back counts only in the browser that left. Who comes back is somebody who was invited, or is nobody.
 */
export function signInWithProvider({ kernel, providers, baseUrl, ask, tell }: Needs) {
  const { db, clock, newId, keyring, sealing, log } = kernel

  const named = (name: string): Provider => {
    const provider = providers.find((one) => one.name === name)
    if (!provider) throw notFound('identity provider')
    return provider
  }

  const note = async (provider: string, refused: SignInRefused, facts: RequestFacts): Promise<void> => {
    const person = refused.email === undefined ? undefined : await findByEmail(db, refused.email)
    const account = keyring.digest('account-name', (refused.email ?? '').toLowerCase())
    if (refused.cause !== undefined) log.warn({ err: refused.cause, provider }, 'A sign-in at a provider failed')
    const tenant = person?.tenant ?? null
    await db.inTx((tx) =>
      tell.recordAct(tx, {
        tenant,
        act: 'session.refused',
        outcome: 'refused',
        actor: { kind: 'anyone', id: refused.email === undefined ? '-' : account },
        subject: person ? { kind: 'person', id: person.id } : { kind: 'identity_provider', id: provider },
        request: facts,
        details: { reason: refused.reason, provider },
      }),
    )
  }

  /** By subject once it is bound; by verified address the first time. */
  const personOf = async (tx: Tx, provider: Provider, proven: Proven, facts: RequestFacts): Promise<PersonRow> => {
    const { email } = proven
    const known = await findIdentity(tx, proven.issuer, proven.subject)
    const found = known ? await findPerson(tx, known.tenant, known.person) : await findByEmail(tx, email)
    const person = found ?? (await newcomer(tx, provider, proven, facts))
    const status = statusOf(person, clock.now())
    if (status !== 'active' && status !== 'invited') throw new SignInRefused('inactive', { email: person.email })
    const identity = { provider: provider.name, issuer: proven.issuer, subject: proven.subject }
    const owner = { tenant: person.tenant, person: person.id }
    if (!(await bindIdentity(tx, owner, identity, clock.now())))
      throw new SignInRefused('another_identity', { email: person.email })
    return person
  }

  /** Nobody invited them: they are nobody, unless this provider may vouch for whom it knows. */
  const newcomer = async (tx: Tx, provider: Provider, { email, name }: Proven, facts: RequestFacts) => {
    if (provider.newcomers === null) throw new SignInRefused('unknown', { email })
    const by = `identity provider ${provider.name}`
    const made = await tell.admitNewcomer(tx, { email, name, role: provider.newcomers.role, by, facts })
    if (made === 'removed') throw new SignInRefused('inactive', { email })
    if (made === 'unknown') throw new SignInRefused('unknown', { email })
    return made
  }

  return {
    /** Begins it: where to send the browser, and what to leave in it until it is back. */
    begin: async (name: string, returnTo: string | undefined): Promise<{ address: URL; binding: string }> => {
      const provider = named(name)
      const challenge = { state: randomToken(), nonce: randomToken(), verifier: randomToken(48) }
      const address = await ask.address(provider, baseUrl + provider.callback, challenge)
      const binding = randomToken()
      const id = newId()
      const errand: Errand = { ...challenge, binding, returnTo: safeReturn(returnTo) }
      const madeAt = clock.now()
      await insertAttempt(db, {
        id,
        way: name,
        stateDigest: keyring.digest('sign-in-state', challenge.state),
        sealed: sealing.seal('sign-in-state', id, Buffer.from(JSON.stringify(errand))),
        madeAt,
        expiresAt: new Date(madeAt.getTime() + attemptSeconds * 1000),
      })
      return { address, binding }
    },

    /** Ends it: a session, or the reason why there is none. */
    finish: async (
      name: string,
      query: string,
      binding: string | undefined,
      facts: RequestFacts,
    ): Promise<{ token: string; expiresAt: Date; returnTo: string } | { reason: SignInRefused['reason'] }> => {
      const provider = named(name)
      try {
        const errand = await take(provider, query, binding)
        const answer = new URL(`${baseUrl}${provider.callback}${query}`)
        const proven = await ask.redeem(provider, answer, errand)
        const begun = await db.inTx(async (tx) => {
          const person = await personOf(tx, provider, proven, facts)
          if (provider.groupRoles) await giveRolesOfGroups(tx, provider, proven, person, facts)
          return tell.start(tx, { person, credential: provider.name, facts })
        })
        return { ...begun, returnTo: errand.returnTo }
      } catch (cause) {
        if (!(cause instanceof SignInRefused)) throw cause
        await note(name, cause, facts)
        return { reason: cause.reason }
      }
    },
  }

  async function take(provider: Provider, query: string, binding: string | undefined): Promise<Errand> {
    const state = new URLSearchParams(query).get('state') ?? ''
    const attempt = await takeAttempt(db, keyring.digests('sign-in-state', state), clock.now())
    if (!attempt || attempt.way !== provider.name) throw new SignInRefused('state')
    const errand = JSON.parse(sealing.unseal('sign-in-state', attempt.id, attempt.sealed).toString('utf8')) as Errand
    // In another browser it is somebody else's sign-in, whose owner would find themselves in the wrong account.
    if (binding === undefined || errand.binding !== binding) throw new SignInRefused('state')
    return errand
  }

  async function giveRolesOfGroups(
    tx: Tx,
    { groupRoles, name }: Provider,
    { groups, email }: Proven,
    person: PersonRow,
    facts: RequestFacts,
  ): Promise<void> {
    const texts = new Set(groups.flatMap((group) => groupRoles?.get(group) ?? []))
    if (texts.size === 0) throw new SignInRefused('no_role', { email })
    const grants = [...texts].map((text) => {
      const [role = '', place = ''] = text.split('@')
      const [environment = '', rack = ''] = place.split(':')
      return { role, environment: environment || null, rack: rack || null }
    })
    await tell.giveRoles(tx, {
      tenant: person.tenant,
      person: person.id,
      grants,
      by: { actor: { kind: 'system', id: `identity provider ${name}` } },
      facts,
    })
  }
}
