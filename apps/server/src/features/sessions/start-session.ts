import { type Keyring, randomToken } from '../../kernel/crypto.ts'
import type { Tx } from '../../kernel/db.ts'
import { noteSignIn, type PersonRow } from '../people/index.ts'
import type { RequestFacts } from '../roles/index.ts'
import type { RecordAct } from '../trail/index.ts'
import type { Channel, ReadSessionLimits } from './session-limits.ts'
import { insertSession } from './sessions-table.ts'

/** Ways in by which the password was typed just now. */
const provesPassword = new Set(['password', 'invitation', 'recovery'])

type Needs = {
  readonly clock: { readonly now: () => Date }
  readonly newId: () => string
  readonly keyring: Keyring
  readonly recordAct: RecordAct
  readonly limitsOf: ReadSessionLimits
  /** Whether this browser may skip the second step of the sign-in. */
  readonly isTrustedDevice: (
    tx: Tx,
    whom: { readonly tenant: string; readonly person: string },
    facts: RequestFacts,
  ) => Promise<boolean>
}

export type Beginning = {
  readonly person: Pick<PersonRow, 'tenant' | 'id' | 'email'>
  /** How the person proved who it is: `password`, `invitation`, `recovery`, or an identity provider's name. */
  readonly credential: string
  readonly channel?: Channel
  /** What a command line calls its machine. */
  readonly device?: string
  /** When the second step of the sign-in was taken already. */
  readonly verifiedAt?: Date
  /** When a factor, or the password of somebody without one, was proven elsewhere for this very session. */
  readonly steppedUpAt?: Date
  readonly facts: RequestFacts
}

/** `token` goes to the one who signed in, once, and is kept nowhere. */
export type Begun = { readonly id: string; readonly token: string; readonly expiresAt: Date }

export type StartSession = (tx: Tx, beginning: Beginning) => Promise<Begun>

/**
 * Makes a session, always a new one: whatever token a browser came with becomes nobody's. The one place where sessions
 * begin, whatever was proven how.
 */
export function startSession({ clock, newId, keyring, recordAct, limitsOf, isTrustedDevice }: Needs): StartSession {
  return async (tx, { person, credential, channel = 'web', device, verifiedAt, steppedUpAt, facts }) => {
    const { webMs, cliMs } = await limitsOf(person.tenant)
    const token = randomToken()
    const madeAt = clock.now()
    const expiresAt = new Date(madeAt.getTime() + (channel === 'web' ? webMs : cliMs))
    const id = newId()
    const isTrusted = await isTrustedDevice(tx, { tenant: person.tenant, person: person.id }, facts)
    await insertSession(tx, {
      tenant: person.tenant,
      id,
      person: person.id,
      tokenDigest: keyring.digest('session-token', token),
      madeAt,
      expiresAt,
      address: facts.address,
      agent: facts.userAgent,
      channel,
      credential,
      device: device ?? null,
      verifiedAt: verifiedAt ?? (isTrusted ? madeAt : undefined),
      steppedUpAt: steppedUpAt ?? (provesPassword.has(credential) ? madeAt : undefined),
    })
    await noteSignIn(tx, person.tenant, person.id, madeAt)
    await recordAct(tx, {
      tenant: person.tenant,
      act: 'session.started',
      actor: { kind: 'person', id: person.id, credential },
      subject: { kind: 'session', id },
      request: facts,
      details: { channel, ...(isTrusted && { trusted_device: true }), ...(device !== undefined && { device }) },
      personal: { actor: { email: person.email } },
    })
    return { id, token, expiresAt }
  }
}
