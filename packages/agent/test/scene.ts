import { onTestFinished } from 'vitest'
import { rollOutVersion, rollOutYaml } from '../../../apps/server/test/rulesets-scene.ts'
import type { TestServer, TestTenant } from '../../../apps/server/test/server.ts'
import { type Guard, type GuardProblem, guard, type ServerOptions } from '../src/index.ts'
import { temporaryFolder } from './rulesets.ts'

/** A tenant of a real server with a key, and what its people do there. */
export async function scene(server: TestServer) {
  const tenant: TestTenant = await server.newTenant()
  const { id: keyId, key } = await server.newKey(tenant)
  const person = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const answer = await server.call(method, `/api/v2${path}`, { cookie: tenant.cookie, ...(body && { body }) })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer.body as Record<string, unknown>
  }
  const start = async (
    options: Partial<ServerOptions> = {},
  ): Promise<Guard & { readonly problems: GuardProblem[] }> => {
    const problems: GuardProblem[] = []
    const made = await guard({
      url: server.url,
      key,
      agentId: 'a1',
      stateDir: options.stateDir ?? (await temporaryFolder()),
      onProblem: (problem) => problems.push(problem),
      ...options,
    })
    onTestFinished(() => made.close())
    return { ...made, problems }
  }
  return {
    tenant,
    key,
    keyId,
    person,
    start,
    rollOut: (yaml: string) => rollOutYaml(server, tenant, yaml),
    goBack: (name: string, version: number) => rollOutVersion(server, tenant, name, version),
    /** What the server has of this agent's events, oldest first. */
    events: async (): Promise<readonly Record<string, unknown>[]> => {
      const { body } = await server.call('GET', '/v1/events?limit=1000', { key, agent: 'a1' })
      return (body as { events: Record<string, unknown>[] }).events
    },
    /** Waits for a call that is held, and decides. */
    decide: async (isApproved: boolean, reason = 'said the test'): Promise<void> => {
      for (;;) {
        const { items } = (await person('GET', '/approvals?status=pending')) as { items: { id: string }[] }
        const [first] = items
        if (first) {
          await server.call('PUT', `/api/v1/approvals/${first.id}`, {
            cookie: tenant.cookie,
            body: { approved: isApproved, reason },
          })
          return
        }
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
    },
  }
}
