import type { FactorKind } from '@countersign/wire'
import type { Grant } from '../../features/people/index.ts'
import { Problem, type ProblemKind, problems } from '../../kernel/problem.ts'

/** What older clients call kinds of factors. */
export const kindWords: Readonly<Record<FactorKind, string>> = { totp: 'totp', passkey: 'webauthn', yubico: 'yubiotp' }

/** Their roles are bare names; one that is held in a single environment says so, or it would seem to hold everywhere. */
export function roleWords(grants: readonly Grant[]): string[] {
  return grants.map(({ role, environment }) => (environment === null ? role : `${role} in ${environment}`))
}

export function grantsIn(words: readonly string[]): Grant[] {
  return words.map((text) => {
    const [role = '', environment = null] = text.split(' in ')
    return { role, environment }
  })
}

type Retold = string | { readonly kind: ProblemKind; readonly error: string }

/** Tells what older clients know in their words; everything else stays as it is. */
export async function retell<Result>(
  work: Promise<Result>,
  words: Readonly<Partial<Record<ProblemKind['code'], Retold>>>,
): Promise<Result> {
  try {
    return await work
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause
    const told = words[cause.kind.code]
    if (told === undefined) throw cause
    const { kind, error } = typeof told === 'string' ? { kind: cause.kind, error: told } : told
    throw new Problem(kind, error, { cause, facts: cause.facts })
  }
}

export function badRequest(error: string): Problem {
  return new Problem(problems.malformed, error)
}

export function notFoundAs(error: string): Problem {
  return new Problem(problems.notFound, error)
}

/** Fields that are not there are left out, as their clients read absence. */
export function present<Fields extends Readonly<Record<string, unknown>>>(fields: Fields): Partial<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as Partial<Fields>
}
