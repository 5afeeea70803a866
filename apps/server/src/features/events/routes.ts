import { Readable } from 'node:stream'
import {
  eventDetail,
  eventExportQuery,
  eventFacets,
  eventFacetsQuery,
  eventHistogram,
  eventHistogramQuery,
  eventListQuery,
  eventPage,
  eventPurge,
  eventPurged,
  idText,
  purgeWords,
  Type,
} from '@countersign/wire'
import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput, notFound } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import { exportLines } from './export-events.ts'
import type { Events } from './make-events.ts'
import { readCursor, writeCursor } from './search-events.ts'
import { isoOf, type ShownEvent, showEvent } from './show-event.ts'
import { readEvents, type StoredEvent, selectCall, selectEvent } from './stored-event.ts'

/** The approval an event's call waited for, as the story shows it. */
export type CallApproval = {
  readonly id: string
  readonly status: string
  readonly decided_by: string | null
  readonly asked_at: string
  readonly decided_at: string | null
  readonly is_certain: boolean
}

type Needs = {
  readonly db: Sql
  readonly clock: Pick<Clock, 'now'>
  readonly events: Omit<Events, 'ingest' | 'settle'>
  readonly recordAct: RecordAct
  readonly approvalOf: (tenant: string, call: readonly ShownEvent[]) => Promise<CallApproval | null>
}

const dayMicros = 86_400_000_000
const bucketsUnlessTold = 48

export function eventRoutes({ db, clock, events, recordAct, approvalOf }: Needs): readonly Route[] {
  const { words, scope, search, facets, histogram, purge } = events
  return [
    route({
      does: 'Search events, newest first',
      method: 'GET',
      path: '/events',
      needs: 'events:read',
      query: eventListQuery,
      answers: eventPage,
      handle: async ({ who, query }) => {
        const after = readCursor(query.cursor)
        const page = await search(await scope(who.tenant, query), { after, limit: query.limit ?? 50 })
        return {
          items: page.events.map(showEvent),
          next_cursor: page.next ? writeCursor(page.next) : null,
          searched_to: page.searchedTo === undefined ? null : isoOf(page.searchedTo),
        }
      },
    }),
    route({
      does: 'Count events by agent, tool, environment, verdict, mode and rule',
      method: 'GET',
      path: '/events/facets',
      needs: 'events:read',
      query: eventFacetsQuery,
      answers: eventFacets,
      handle: async ({ who, query }) => mutable(await facets(await scope(who.tenant, query))),
    }),
    route({
      does: 'Count events over time',
      method: 'GET',
      path: '/events/histogram',
      needs: 'events:read',
      query: eventHistogramQuery,
      answers: eventHistogram,
      handle: async ({ who, query }) => {
        const found = await scope(who.tenant, query)
        const until = found.until ?? clock.now().getTime() * 1_000
        const since = found.since ?? until - dayMicros
        return mutable(await histogram({ ...found, since, until }, query.buckets ?? bucketsUnlessTold))
      },
    }),
    route({
      does: 'Download events as CSV or JSON Lines',
      method: 'GET',
      path: '/events/export',
      needs: 'events:read',
      query: eventExportQuery,
      answersItself: true,
      handle: async ({ who, query, facts, reply }) => {
        const { format, ...filter } = query
        const { actor, personal } = actorOf(who)
        await recordAct(db, {
          tenant: who.tenant,
          act: 'events.exported',
          actor,
          subject: { kind: 'events', id: format },
          request: facts,
          details: { format, filtered_by: Object.keys(filter) },
          // What was looked for may name people or hold what an argument held.
          personal: { actor: { ...personal?.actor, filter: JSON.stringify(filter) } },
        })
        const lines = exportLines(search, await scope(who.tenant, filter), format)
        const type = format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/x-ndjson'
        return reply
          .type(type)
          .header('content-disposition', `attachment; filename="events.${format}"`)
          .send(Readable.from(lines, { objectMode: false }))
      },
    }),
    route({
      does: 'Remove old events',
      method: 'POST',
      path: '/events/purge',
      needs: 'events:purge',
      factor: 'always',
      body: eventPurge,
      answers: eventPurged,
      handle: async ({ who, body, facts }) => {
        if (body.confirm !== purgeWords) throw invalidInput('body.confirm', `Type "${purgeWords}" to confirm.`)
        const { deletedCount, cutoff } = await purge(who, body.older_than_days, facts)
        return { deleted_count: deletedCount, cutoff: cutoff.toISOString() }
      },
    }),
    route({
      does: 'Show an event with the story of its call',
      method: 'GET',
      path: '/events/:id',
      needs: 'events:read',
      params: Type.Object({ id: idText }),
      answers: eventDetail,
      handle: async ({ who, params }) => {
        const row = await selectEvent(db, who.tenant, params.id)
        const [one] = row ? await readEvents(words, who.tenant, [row]) : []
        if (!row || !one) throw notFound('event')
        const call = await selectCall(db, who.tenant, row.environment, row.callId)
        const story = (await readEvents(words, who.tenant, call)).map(showEvent)
        return { ...showEvent(one), ...detailsOf(one), story, approval: await approvalOf(who.tenant, story) }
      },
    }),
  ]
}

function detailsOf({ details, payload }: StoredEvent) {
  return {
    args: details['tool_args'] ?? null,
    principal: details['principal'] ?? null,
    rules_evaluated: details['rules_evaluated'] ?? details['contracts_evaluated'] ?? null,
    workflow: details['workflow'] ?? payload['workflow'] ?? null,
    payload,
  }
}

/** The wire's types are not readonly; nothing is copied. */
function mutable<Value>(value: Value): Mutable<Value> {
  return value as Mutable<Value>
}
type Mutable<Value> = Value extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : Value extends object
    ? { -readonly [Key in keyof Value]: Mutable<Value[Key]> }
    : Value
