import { expect, onTestFinished } from 'vitest'
import { type Guard, type GuardProblem, guard, type ServerOptions } from '../src/index.ts'
import { makeSigner, type PretendServer } from './pretend-server.ts'
import { noSecrets, rulesetOf, temporaryFolder } from './rulesets.ts'

const key = `edk_production_${'k'.repeat(43)}`
export const signer = makeSigner()
/** Forbids what `lax` allows: reading `.env`. */
export const strict = rulesetOf('base', noSecrets)
export const lax = rulesetOf('base', noSecrets.replace('.env', '.never'))

export type Started = Guard & { readonly problems: GuardProblem[] }

/** A guard of this server that is closed when the test is over. */
export async function start(
  server: Pick<PretendServer, 'url'>,
  options: Partial<ServerOptions> = {},
): Promise<Started> {
  const problems: GuardProblem[] = []
  const made = await guard({
    url: server.url,
    key,
    agentId: 'a1',
    stateDir: options.stateDir ?? (await temporaryFolder()),
    startTimeoutMs: 5_000,
    requestTimeoutMs: 2_000,
    onProblem: (problem) => problems.push(problem),
    ...options,
  })
  onTestFinished(() => made.close())
  return { ...made, problems }
}

export function readSecret(one: Guard): Promise<unknown> {
  return one.run({ tool: 'read_file', args: { path: '.env' } }, () => 'secret')
}

export async function isStrict(one: Guard): Promise<void> {
  await expect(readSecret(one)).rejects.toMatchObject({ rule: 'no-secrets' })
}

export function kinds({ problems }: Started): string[] {
  return problems.map(({ kind }) => kind)
}
