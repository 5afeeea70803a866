import type { JsonValue } from '@countersign/rules'
import type { Server } from './server.ts'
import type { SessionCounters } from './session-counters.ts'

/** Counters that all processes of a session share, under the keys every SDK uses (agent-api §7). */
export function serverCounters(server: Pick<Server, 'request'>): SessionCounters {
  const keyOf = (sessionId: string, what: string): string => `s:${sessionId}:${what}`

  const add = async (key: string, amount: number): Promise<number> => {
    const body = JSON.stringify({ amount })
    const { value } = await server.request('POST', `/sessions/${encodeURIComponent(key)}/increment`, { body })
    return numberIn(value)
  }

  const read = async (keys: readonly string[]): Promise<number[]> => {
    const { values } = await server.request('POST', '/sessions/batch', { body: JSON.stringify({ keys }) })
    if (typeof values !== 'object' || values === null || Array.isArray(values))
      throw new Error('there are no counters in the answer')
    const found = values as Readonly<Record<string, JsonValue>>
    return keys.map((key) => (found[key] === undefined || found[key] === null ? 0 : numberIn(found[key])))
  }

  const executed = async (sessionId: string, tool: string): Promise<[number, number]> => {
    const [executions = 0, ofTool = 0] = await read([keyOf(sessionId, 'execs'), keyOf(sessionId, `tool:${tool}`)])
    return [executions, ofTool]
  }

  return {
    attempt: async (sessionId, tool) => {
      const [attempts, [executions, ofTool]] = await Promise.all([
        add(keyOf(sessionId, 'attempts'), 1),
        executed(sessionId, tool),
      ])
      return { attempts, executions, perTool: new Map([[tool, ofTool]]) }
    },
    look: async (sessionId, tool) => {
      const keys = ['attempts', 'execs', `tool:${tool}`].map((what) => keyOf(sessionId, what))
      const [attempts = 0, executions = 0, ofTool = 0] = await read(keys)
      return { attempts, executions, perTool: new Map([[tool, ofTool]]) }
    },
    reserve: async (sessionId, tool) => {
      const [executions, ofTool] = await Promise.all([
        add(keyOf(sessionId, 'execs'), 1),
        add(keyOf(sessionId, `tool:${tool}`), 1),
      ])
      return { executions: executions - 1, perTool: new Map([[tool, ofTool - 1]]) }
    },
    release: async (sessionId, tool) => {
      await Promise.all([add(keyOf(sessionId, 'execs'), -1), add(keyOf(sessionId, `tool:${tool}`), -1)])
    },
  }
}

/** Values are texts when read and numbers when counted; anything else is no counter, and no counter is no permission. */
function numberIn(value: JsonValue | undefined): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number)) throw new Error('a counter is no number')
  return number
}
