import { type Static, Type } from '@countersign/wire'
import type { FastifyRequest } from 'fastify'
import { checkSessionKey, type SessionValues } from '../../features/agent-sessions/index.ts'
import { type Agent, type Route, route } from '../../features/roles/index.ts'
import { isExactNumber, isJsonObject, type JsonValue, readJson } from '../../kernel/json.ts'
import { invalidInput, Problem, problems } from '../../kernel/problem.ts'

const params = Type.Object({ key: Type.String({ minLength: 1 }) })
const valueCharactersMax = 1_048_576
/** A value of the allowed length whose every character is written as an escape of six, and what stands around it. */
const valueBodyBytesMax = 6 * valueCharactersMax + 1_024
const batchBodyBytesMax = 4 * 1_048_576
const batchKeysMax = 1_000

/** What an agent keeps for its sessions (agent-api §7). Keys are decoded once, by the router, after routing. */
export function agentSessionRoutes(values: SessionValues): readonly Route[] {
  return [
    route({
      does: 'Read several values of sessions',
      method: 'POST',
      path: '/sessions/batch',
      needs: 'agent-key',
      bodyBytesMax: batchBodyBytesMax,
      handle: async ({ who, request }) => {
        const keys = keysIn(request.body)
        const found = await values.read(scopeOf(who), keys)
        return { values: Object.fromEntries(keys.map((key) => [key, found.get(key) ?? null])) }
      },
    }),
    ...valueRoutes(values, '/sessions/:key', params),
    // A key may be called batch; its own path would otherwise only take the method above.
    ...valueRoutes(values, '/sessions/batch', undefined),
    route({
      does: 'Add to a counter of a session',
      method: 'POST',
      path: '/sessions/:key/increment',
      needs: 'agent-key',
      params,
      answersItself: true,
      handle: async ({ who, params, request, reply }) => {
        const amount = amountIn(request.body, request.rawBody)
        const value = await values.increment(scopeOf(who), checkSessionKey(params.key, 'path.key'), amount)
        // Written by hand: the number may have more digits than a double.
        return reply.type('application/json; charset=utf-8').send(`{"value":${value}}`)
      },
    }),
  ]
}

/** Reading, putting and deleting one value. */
function valueRoutes(values: SessionValues, path: string, named: typeof params | undefined): readonly Route[] {
  const keyOf = (request: FastifyRequest): string =>
    named ? checkSessionKey((request.params as Static<typeof params>).key, 'path.key') : 'batch'
  return [
    route({
      does: 'Read a value of a session',
      method: 'GET',
      path,
      needs: 'agent-key',
      ...(named && { params: named }),
      handle: async ({ who, request }) => {
        const key = keyOf(request)
        const value = (await values.read(scopeOf(who), [key])).get(key)
        if (value === undefined) throw new Problem(problems.notFound, 'Key not found')
        return { value }
      },
    }),
    route({
      does: 'Put a value of a session',
      method: 'PUT',
      path,
      needs: 'agent-key',
      ...(named && { params: named }),
      bodyBytesMax: valueBodyBytesMax,
      handle: async ({ who, request }) => {
        const value = isJsonObject(request.body) ? request.body['value'] : undefined
        if (typeof value !== 'string') throw invalidInput('body.value', 'value must be a text.')
        if (value.length > valueCharactersMax) {
          throw invalidInput('body.value', `value may have ${valueCharactersMax} characters.`)
        }
        await values.put(scopeOf(who), keyOf(request), value)
        return { value }
      },
    }),
    route({
      does: 'Delete a value of a session',
      method: 'DELETE',
      path,
      needs: 'agent-key',
      ...(named && { params: named }),
      handle: async ({ who, request }) => {
        await values.remove(scopeOf(who), keyOf(request))
        return { value: null }
      },
    }),
  ]
}

function scopeOf({ tenant, environment }: Agent) {
  return { tenant, environment }
}

function keysIn(body: unknown): readonly string[] {
  const keys = isJsonObject(body) ? body['keys'] : undefined
  if (!Array.isArray(keys)) throw invalidInput('body.keys', 'Send {"keys": [ … ]}.')
  if (keys.length > batchKeysMax) throw invalidInput('body.keys', `At most ${batchKeysMax} keys at once.`)
  return (keys as readonly unknown[]).map((key, at) => {
    if (typeof key !== 'string') throw invalidInput(`body.keys.${at}`, 'A key must be a text.')
    return checkSessionKey(key, `body.keys.${at}`)
  })
}

const decimal = /^-?(?:\d{1,18}(?:\.\d{1,18})?|\.\d{1,18})$/

/** The amount exactly as it was sent, since 0.1 and 0.2 make 0.3 only in decimal. */
function amountIn(body: unknown, rawBody: Buffer | undefined): string {
  if (body === undefined) return '1'
  const given = isJsonObject(body) ? body['amount'] : null
  if (given === undefined) return '1'
  const sent = typeof given === 'number' && rawBody ? memberOf(readJson(rawBody.toString('utf8')), 'amount') : given
  const text = typeof sent === 'number' ? plainDecimal(sent) : isExactNumber(sent) ? sent.rawJSON : ''
  if (!decimal.test(text)) {
    throw invalidInput('body.amount', 'amount must be a number with at most 18 digits on either side of the point.')
  }
  return text
}

function memberOf(value: JsonValue, name: string): JsonValue | undefined {
  return isJsonObject(value) ? value[name] : undefined
}

/** Shortest decimal without an exponent. */
function plainDecimal(value: number): string {
  const text = String(value)
  if (!text.includes('e')) return text
  return Number.isInteger(value) ? BigInt(value).toString() : value.toFixed(18).replace(/0+$/, '')
}
