import { legacyStateKey, stateKey } from '@countersign/rules'
import { type Server, ServerAnswered } from './server.ts'

/** Where sessions stand in their workflow, as texts. What cannot be had throws: beginning anew would forget a gate. */
export type WorkflowStates = {
  readonly load: (sessionId: string) => string | undefined | Promise<string | undefined>
  readonly save: (sessionId: string, state: string) => void | Promise<void>
}

const sessionsMax = 100_000

/** States of this process. A session that a restart cuts off begins again at the first stage, with nothing approved. */
export function localStates(): WorkflowStates {
  const states = new Map<string, string>()
  return {
    load: (id) => states.get(id),
    save: (id, state) => {
      if (!states.has(id) && states.size >= sessionsMax)
        throw new Error(`More than ${sessionsMax} sessions are in use.`)
      states.set(id, state)
    },
  }
}

/** States that outlive the process, under the key every SDK uses; read from an older key when there is none (§28). */
export function serverStates(server: Pick<Server, 'request'>, workflow: string): WorkflowStates {
  const keyOf = (sessionId: string): string => `s:${sessionId}:${stateKey(workflow)}`
  const legacyOf = (sessionId: string): string => `s:${sessionId}:${legacyStateKey(workflow)}`
  const fromLegacy = new Set<string>()

  return {
    load: async (id) => {
      const keys = [keyOf(id), legacyOf(id)]
      const { values } = await server.request('POST', '/sessions/batch', { body: JSON.stringify({ keys }) })
      if (typeof values !== 'object' || values === null || Array.isArray(values))
        throw new Error('there are no session values in the answer')
      const [own, legacy] = keys.map((key) => textIn(values as Readonly<Record<string, unknown>>, key))
      if (own === undefined && legacy !== undefined) fromLegacy.add(id)
      return own ?? legacy
    },
    save: async (id, state) => {
      await server.request('PUT', `/sessions/${encodeURIComponent(keyOf(id))}`, {
        body: JSON.stringify({ value: state }),
      })
      // Two states of one session would drift apart as soon as an older SDK wrote the other again.
      if (fromLegacy.delete(id)) await forget(legacyOf(id))
    },
  }

  async function forget(key: string): Promise<void> {
    try {
      await server.request('DELETE', `/sessions/${encodeURIComponent(key)}`)
    } catch (cause) {
      if (!(cause instanceof ServerAnswered) || cause.status !== 404) throw cause
    }
  }
}

function textIn(values: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = Object.hasOwn(values, key) ? values[key] : undefined
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw new Error('a workflow state is no text')
  return value
}
