import { Type } from '@countersign/wire'
import type { FastifyRequest } from 'fastify'
import {
  canonicalAction,
  type EventFilter,
  type Events,
  isoOf,
  legacyAction,
  type Sender,
  type StoredEvent,
} from '../../features/events/index.ts'
import { redact } from '../../features/redaction/index.ts'
import type { Agent, Principal, Route } from '../../features/roles/index.ts'
import { route } from '../../features/roles/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import { isJsonObject, type JsonObject, type JsonValue, needsExactNumbers, readJson } from '../../kernel/json.ts'
import { invalidInput, Problem, problems } from '../../kernel/problem.ts'

type Needs = {
  readonly db: Sql
  readonly clock: Pick<Clock, 'now'>
  readonly newId: () => string
  readonly events: Pick<Events, 'ingest' | 'scope' | 'search'>
  /** What an agent says it has loaded. */
  readonly noteManifest: (
    agent: { readonly tenant: string; readonly environment: string; readonly agentId: string },
    manifest: JsonObject,
  ) => void
}

const eventsBytesMax = 64 * 1_024 * 1_024

const listQuery = Type.Object({
  agent_id: Type.Optional(Type.String()),
  tool_name: Type.Optional(Type.String()),
  verdict: Type.Optional(Type.String()),
  mode: Type.Optional(Type.String()),
  session_id: Type.Optional(Type.String()),
  parent_session_id: Type.Optional(Type.String()),
  since: Type.Optional(Type.String()),
  until: Type.Optional(Type.String()),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
})
const listedUnlessTold = 100

type ListQuery = {
  readonly agent_id?: string
  readonly tool_name?: string
  readonly verdict?: string
  readonly mode?: string
  readonly session_id?: string
  readonly parent_session_id?: string
  readonly since?: string
  readonly until?: string
  readonly limit?: number
}

type EventSurface = {
  readonly both: readonly Route[]
  readonly v1: readonly Route[]
  readonly apiV1: readonly Route[]
}

/** Delivering and listing events (agent-api §6, §2.4) and reports of scanners (§2.6). */
export function eventRoutes({ db, clock, newId, events, noteManifest }: Needs): EventSurface {
  const deliver = async (who: Agent, request: FastifyRequest) => {
    const given = exactBody(request)
    const sent = isJsonObject(given) ? given['events'] : undefined
    if (!isJsonObject(given) || !Array.isArray(sent)) {
      throw invalidInput('body.events', 'Send {"events": [ … ]}.')
    }
    const list = sent as readonly JsonValue[]
    const { accepted, duplicates, rejected } = await events.ingest(senderOf(who), list)
    const manifest = given['agent_manifest']
    if (isJsonObject(manifest)) {
      const agentId = who.agentId ?? (nameIn(manifest) || nameIn(list[0]) || `key:${who.keyPrefix}`)
      noteManifest({ tenant: who.tenant, environment: who.environment, agentId }, manifestOf(manifest))
    }
    return { accepted, duplicates, ...(rejected.length > 0 && { rejected }) }
  }

  const list = async (who: Principal, query: ListQuery): Promise<readonly StoredEvent[]> => {
    const filter: EventFilter = {
      agent: given(query.agent_id),
      tool: given(query.tool_name),
      verdict: given(query.verdict),
      mode: given(query.mode),
      since: query.since,
      until: query.until,
      sessionId: query.session_id,
      parentSessionId: query.parent_session_id,
      ...(who.is === 'agent' && { environment: [who.environment] }),
    }
    const page = await events.search(await events.scope(who.tenant, filter), {
      limit: query.limit ?? listedUnlessTold,
    })
    return page.events
  }

  const listing = {
    does: 'List events',
    method: 'GET',
    path: '/events',
    needs: 'agent-key or events:read',
    query: listQuery,
  } as const

  return {
    both: [
      ...['/events', '/audit/ingest'].map((path) =>
        route({
          does: 'Deliver events',
          method: 'POST',
          path,
          needs: 'agent-key',
          bodyBytesMax: eventsBytesMax,
          handle: ({ who, request }) => deliver(who, request),
        }),
      ),
      route({
        does: 'Deliver the report of a scan of skills',
        method: 'POST',
        path: '/skill-scan',
        needs: 'agent-key',
        status: 202,
        handle: async ({ who, request }) => {
          const report = exactBody(request)
          if (!isJsonObject(report)) throw invalidInput('body', 'Send the report as a JSON object.')
          await db.query(
            `insert into skill_scans (tenant_id, id, environment, agent_id, received_at, report) values ($1, $2, $3, $4, $5, $6)`,
            [
              who.tenant,
              newId(),
              who.environment,
              who.agentId ?? `key:${who.keyPrefix}`,
              clock.now(),
              JSON.stringify(redact(report).value),
            ],
          )
          return { status: 'accepted' }
        },
      }),
    ],
    v1: [
      route({
        ...listing,
        handle: async ({ who, query }) => ({ events: (await list(who, query)).map(flatShape).reverse() }),
      }),
    ],
    apiV1: [
      route({
        ...listing,
        handle: async ({ who, query }) => (await list(who, query)).map(nestedShape),
      }),
    ],
  }
}

function senderOf({ tenant, environment, keyPrefix, agentId }: Agent): Sender {
  return { tenant, environment, keyPrefix, agentId }
}

/** The body with its numbers as they were sent; parsed again only when a double would have changed one. */
function exactBody({ body, rawBody, isBodyExact }: FastifyRequest): JsonValue {
  if (body === undefined || rawBody === undefined) throw invalidInput('body', 'Send the body as JSON.')
  if (isBodyExact || !needsExactNumbers(rawBody)) return body as JsonValue
  try {
    return readJson(rawBody.toString('utf8'))
  } catch (cause) {
    throw new Problem(problems.malformed, 'The body is nested too deep.', { cause })
  }
}

function given(value: string | undefined): readonly string[] | undefined {
  return value === undefined ? undefined : [value]
}

function nameIn(value: JsonValue | undefined): string {
  const name = isJsonObject(value) ? value['agent_id'] : undefined
  return typeof name === 'string' ? name : ''
}

/** Gates send `contracts` or, newer ones, `rules`. */
function manifestOf(manifest: JsonObject): JsonObject {
  const rules = Array.isArray(manifest['rules']) ? manifest['rules'] : manifest['contracts']
  const version = manifest['policy_version']
  return {
    policy_version: typeof version === 'string' ? version : null,
    rules: Array.isArray(rules) ? redact(rules).value : [],
  }
}

/** Shape F, canonical words (agent-api §6.3). */
function flatShape(one: StoredEvent): object {
  const { payload: _nested, verdict: _verdict, decision: _decision, ...outer } = one.payload
  return {
    ...outer,
    ...one.details,
    id: one.id,
    call_id: one.callId,
    agent_id: one.agent,
    tool_name: one.tool,
    action: one.verdict,
    mode: one.mode,
    environment: one.environment,
    timestamp: timestampOf(one),
    created_at: one.receivedAt.toISOString(),
    decision_name: one.rule,
    session_id: one.sessionId,
  }
}

const outerFields = new Set(['call_id', 'agent_id', 'tool_name', 'verdict', 'decision', 'action', 'mode', 'timestamp'])

/** What the older product answered, in its words. */
function nestedShape(one: StoredEvent): object {
  const details = Object.entries(one.details).filter(([name]) => !outerFields.has(name) && name !== 'payload')
  return {
    id: one.id,
    call_id: one.callId,
    agent_id: one.agent,
    tool_name: one.tool,
    verdict: legacyAction(canonicalAction(one.verdict)),
    mode: one.mode,
    env: one.environment,
    timestamp: timestampOf(one),
    payload: { ...Object.fromEntries(details), environment: one.environment },
    created_at: one.receivedAt.toISOString(),
  }
}

/** As the agent wrote it when that can be read, since it may be finer than our clock. */
function timestampOf(one: StoredEvent): JsonValue {
  const sent = one.payload['timestamp']
  return typeof sent === 'string' && !one.flags.includes('time_unreadable') ? sent : isoOf(one.atMicros)
}
