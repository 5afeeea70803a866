import type { Events } from '../../features/events/index.ts'

const looked = 200

/** The workflow that the newest event of a session carries, since agents report it along with what they did. */
export function workflowOf({ scope, search }: Pick<Events, 'scope' | 'search'>) {
  return async (
    tenant: string,
    environment: string,
    agentId: string,
    sessionId: string,
  ): Promise<object | undefined> => {
    const filter = { environment: [environment], agent: [agentId], sessionId }
    const { events } = await search(await scope(tenant, filter), { limit: looked })
    const reported = events.map(({ details, payload }): unknown => details['workflow'] ?? payload['workflow'])
    return reported.find(isObject)
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
