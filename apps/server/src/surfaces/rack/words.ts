import type { FactorKind } from '@countersign/wire'
import type { Grant } from '../../features/people/index.ts'
import { placeWords } from '../../features/roles/index.ts'
import { Problem, type ProblemKind, problems } from '../../kernel/problem.ts'

/** What older clients call kinds of factors. */
export const kindWords: Readonly<Record<FactorKind, string>> = { totp: 'totp', passkey: 'webauthn', yubico: 'yubiotp' }

/** Their roles are bare names; one that holds in one place only says so, or it would seem to hold everywhere. */
export function roleWords(grants: readonly Grant[]): string[] {
  return grants.map(({ role, ...scope }) => `${role} ${placeWords(scope)}`.trimEnd())
}

export function grantsIn(words: readonly string[]): Grant[] {
  return words.map((text) => {
    const [before = '', environment = null] = text.split(' in ')
    const [role = '', rack = null] = before.split(' on rack ')
    return { role, environment, rack }
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
