import { type Countersignature, countersignedChallenge, countersignedText } from '@countersign/trail'
import { randomToken } from '../../kernel/crypto.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import { invalidInput, notFound, Problem, problems } from '../../kernel/problem.ts'
import type { Assertion, Mfa } from '../mfa/index.ts'
import { demand, type Person, type RequestFacts } from '../roles/index.ts'
import { type Approval, asOf } from './approval.ts'
import { findApproval } from './approvals-table.ts'
import { digestText } from './digest.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly passkeys: Pick<Mfa, 'prove' | 'attempt' | 'rp' | 'factorOf'>
}

export type Intended = { readonly approve: boolean; readonly reason: string | null }
export type Signed = { readonly factor: string; readonly countersignature: Countersignature }

/** Decisions that are signatures: first what is to be signed, then the check that exactly this was. */
export function countersign({ db, clock, passkeys }: Needs) {
  const contentOf = (who: Person, approval: Approval, { approve, reason }: Intended, nonce: string): string =>
    countersignedText({
      v: 1,
      approval: digestText(approval),
      decision: approve ? 'approve' : 'deny',
      reason,
      decider: who.id,
      relying_party: passkeys.rp.id,
      nonce,
    })

  return {
    /** Gives out what the passkey is to sign, with a nonce that is used once. */
    begin: async (who: Person, id: string, intended: Intended) => {
      const approval = await findApproval(db, { tenant: who.tenant }, id)
      if (!approval) throw notFound('approval')
      demand(who, 'approval:decide', { environment: approval.environment })
      if (asOf(approval, clock.now()).settlement)
        throw new Problem(problems.alreadyDecided, 'This approval cannot be decided any more.')
      const content = contentOf(who, approval, intended, randomToken())
      const challenge = countersignedChallenge(content)
      const made = await passkeys.prove.challenge(db, who, { purpose: 'countersign', challenge, content })
      return { ...made, content }
    },

    /** Carries `decide` out in the transaction that used the challenge up, when exactly this decision was signed. */
    complete: (
      who: Person,
      approval: Approval,
      intended: Intended,
      assertion: Assertion,
      facts: RequestFacts,
      decide: (tx: Tx, signed: Signed) => Promise<Approval>,
    ): Promise<Approval> => {
      let content = ''
      return passkeys.attempt(
        who,
        facts,
        async (tx, _state, now) => {
          const checked = await passkeys.prove.checkPasskey(tx, who, assertion, 'countersign', now)
          content = checked.content ?? ''
          return checked
        },
        async (tx, { factor }) => {
          const { nonce } = JSON.parse(content) as { readonly nonce: string }
          if (content !== contentOf(who, approval, intended, nonce))
            throw invalidInput('body.countersignature', 'Another decision than this one was signed. Sign again.')
          return decide(tx, { factor, countersignature: await signatureOf(tx, who, factor, content, assertion) })
        },
      )
    },
  }

  async function signatureOf(
    tx: Tx,
    who: Person,
    factor: string,
    content: string,
    { credential }: Assertion,
  ): Promise<Countersignature> {
    const key = await passkeys.factorOf(tx, who, factor)
    const response = credential['response'] as Readonly<Record<string, unknown>>
    // The library that checked them took each of them for a text.
    const text = (name: string): string => String(response[name])
    const credentialId = key?.credentialId ?? ''
    return {
      content,
      assertion: {
        credential_id: credentialId,
        client_data_json: text('clientDataJSON'),
        authenticator_data: text('authenticatorData'),
        signature: text('signature'),
      },
      registration: { credential_id: credentialId, public_key: key?.publicKey ?? '' },
    }
  }
}

export type Countersign = ReturnType<typeof countersign>
