import type { FastifyReply } from 'fastify'
import { Problem, problems } from '../../kernel/problem.ts'
import type { InlineFactor, Person, RequestFacts } from '../roles/index.ts'
import type { Assertion, ProveFactors } from './prove-factor.ts'

type Needs = {
  readonly prove: Pick<ProveFactors, 'code' | 'passkey'>
  readonly clock: { readonly now: () => Date }
  readonly cookie: (token: string, maxAgeSeconds: number) => string
}

/** Proves a factor that came along with a request, exactly as if it had been proven before: counted, and good once. */
export function proveInline({ prove, clock, cookie }: Needs) {
  return async (who: Person, factor: InlineFactor, facts: RequestFacts, reply: FastifyReply): Promise<Person> => {
    // Nobody guesses with nothing: not worth counting against its owner.
    if (factor.value === '') throw unreadable('A factor was announced and none came.')
    const { lifted } =
      factor.type === 'totp'
        ? await prove.code(who, factor.value, facts)
        : await prove.passkey(who, assertionIn(factor.value), facts)
    if (lifted) {
      const seconds = (lifted.expiresAt.getTime() - clock.now().getTime()) / 1000
      reply.header('set-cookie', cookie(lifted.token, seconds))
    }
    return { ...who, factors: { ...who.factors, isVerified: true, isSteppedUp: true, isUnspent: true } }
  }
}

/** Base64 of `{"session_data": …, "assertion_response": …}`: what the challenge came with, and what the key answered. */
function assertionIn(value: string): Assertion {
  const given = objectIn(Buffer.from(value, 'base64').toString('utf8'))
  const assertion = given && readAssertion(given['session_data'], given['assertion_response'])
  if (!assertion) throw unreadable('The assertion cannot be read: base64 of session_data and assertion_response.')
  return assertion
}

/**
 * An assertion as older clients send it. What they echo as session data only finds the challenge, which the server kept:
 * nothing in it is believed.
 */
export function readAssertion(sessionData: unknown, response: unknown): Assertion | undefined {
  const challengeId = objectIn(sessionData)?.['challenge_id']
  const credential = objectIn(response)
  if (typeof challengeId !== 'string' || !isId(challengeId) || !credential) return undefined
  return { challengeId, credential }
}

function objectIn(value: unknown): Readonly<Record<string, unknown>> | undefined {
  let found = value
  if (typeof value === 'string') {
    try {
      found = JSON.parse(value)
    } catch {
      return undefined
    }
  }
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? { ...found } : undefined
}

function isId(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
}

function unreadable(words: string): Problem {
  return new Problem(problems.mfaFailed, words, { facts: { reason: 'unreadable' } })
}
