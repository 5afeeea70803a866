import { Readable } from 'node:stream'
import { type Static, Type } from '@countersign/wire'
import { listPeople } from '../../features/people/index.ts'
import { type Caller, type Route, route } from '../../features/roles/index.ts'
import { listTokens } from '../../features/tokens/index.ts'
import { actorOf, type EntrySearch, type PageEntries, type RecordAct } from '../../features/trail/index.ts'
import { csvField } from '../../kernel/csv.ts'
import type { Sql } from '../../kernel/db.ts'
import { auditLine, nounsOf, outcomeOf, subjectKindOf, type TokenNames } from './audit-words.ts'
import { badRequest } from './words.ts'

type Needs = {
  readonly db: Sql
  readonly clock: { readonly now: () => Date }
  readonly entries: PageEntries
  readonly recordAct: RecordAct
}

const word = Type.Optional(Type.String({ maxLength: 255 }))
const filters = {
  user: word,
  user_id: Type.Optional(Type.Integer({ minimum: 1 })),
  status: word,
  action_type: word,
  resource_type: word,
  search: word,
  range: word,
  start: word,
  end: word,
}
const query = Type.Object({
  page: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  limit: Type.Optional(Type.Integer({ minimum: 1 })),
  ...filters,
})
type Filters = Static<typeof query>

/** One page holds no more, whatever was asked for; the answer says how many it holds. */
const limitMax = 1_000
const hour = 3_600_000
const ranges: Readonly<Record<string, number>> = {
  '15m': hour / 4,
  '1h': hour,
  '24h': 24 * hour,
  '7d': 7 * 24 * hour,
  '30d': 30 * 24 * hour,
}

const columns = [
  'first_seen',
  'last_seen',
  'user_email',
  'user_name',
  'action_type',
  'action',
  'command',
  'resource',
  'status',
  'event_count',
  'min_response_ms',
  'max_response_ms',
  'avg_response_ms',
  'ip_address',
  'user_agent',
] as const

/** The trail as Rack Gateway's clients read an audit log (gateway §9.7): filters, numbered pages, CSV. */
export function rackAuditRoutes({ db, clock, entries, recordAct }: Needs): readonly Route[] {
  /** Nothing when nobody can be meant. */
  const searchOf = async (who: Caller, given: Filters): Promise<Omit<EntrySearch, 'address'> | undefined> => {
    const actor = await actorIn(who, given)
    if (actor === 'nobody') return undefined
    const { status, action_type: type, resource_type: resource, search } = given
    return {
      actor,
      outcome: status === undefined ? undefined : outcomeOf(status),
      subjectKind: resource === undefined ? undefined : subjectKindOf(resource),
      ...(type !== undefined && nounsOf(type)),
      text: search === undefined || search === '' ? undefined : search,
      ...spanOf(given, clock.now()),
    }
  }
  const actorIn = async (who: Caller, { user, user_id: no }: Filters): Promise<string | undefined> => {
    if (user === undefined && no === undefined) return undefined
    const people = await listPeople(db, who.tenant, user === undefined ? {} : { email: user }, clock.now())
    return people.find(({ wireNo }) => no === undefined || wireNo === no)?.id ?? 'nobody'
  }
  const tokensOf = async (tenant: string): Promise<TokenNames> =>
    new Map((await listTokens(db, tenant, true, clock.now())).map((token) => [token.id, token]))

  return [
    route({
      does: 'Read the trail by pages, newest first',
      method: 'GET',
      path: '/audit-logs',
      needs: 'trail:read',
      query,
      handle: async ({ who, query: given }) => {
        const { page = 1 } = given
        const limit = Math.min(given.limit ?? 100, limitMax)
        const search = await searchOf(who, given)
        if (!search) return { logs: [], total: 0, page, limit }
        const found = await entries.page(who.tenant, search, { limit, offset: (page - 1) * limit })
        const tokens = await tokensOf(who.tenant)
        return { logs: found.entries.map((one) => auditLine(one, tokens)), total: found.total, page, limit }
      },
    }),
    route({
      does: 'Download the trail as CSV',
      method: 'GET',
      path: '/audit-logs/export',
      needs: 'trail:export',
      query: Type.Object(filters),
      answersItself: true,
      handle: async ({ who, query: given, facts, reply }) => {
        const search = await searchOf(who, given)
        await recordAct(db, {
          tenant: who.tenant,
          act: 'trail.exported',
          subject: { kind: 'trail', id: 'csv' },
          request: facts,
          // An address is personal, so an entry does not tell it in clear.
          details: { format: 'csv', filter: { ...given, ...(given.user !== undefined && { user: '[sealed]' }) } },
          ...actorOf(who),
        })
        const lines = csvLines(search && entries.scan(who.tenant, search))
        const day = clock.now().toISOString().slice(0, 10)
        return reply
          .type('text/csv; charset=utf-8; header=present')
          .header('cache-control', 'private, no-store')
          .header('content-disposition', `attachment; filename="audit-logs-${day}.csv"`)
          .send(Readable.from(lines, { objectMode: false }))
      },
    }),
  ]
}

async function* csvLines(pieces: ReturnType<PageEntries['scan']> | undefined): AsyncGenerator<string> {
  yield `${columns.join(',')}\r\n`
  for await (const { entries } of pieces ?? []) {
    let lines = ''
    for (const one of entries) {
      const line: Readonly<Record<string, unknown>> = auditLine(one, new Map())
      const cells = columns.map((column) => {
        const value = line[column]
        return csvField(typeof value === 'string' || typeof value === 'number' ? value : null)
      })
      lines += `${cells.join(',')}\r\n`
    }
    if (lines !== '') yield lines
  }
}

function spanOf({ range = '24h', start, end }: Filters, now: Date): { readonly since?: Date; readonly until?: Date } {
  if (range === 'all') return {}
  if (range !== 'custom' && start === undefined && end === undefined) {
    const back = ranges[range]
    if (back === undefined) throw badRequest('invalid range: one of 15m, 1h, 24h, 7d, 30d, all, custom')
    return { since: new Date(now.getTime() - back) }
  }
  const since = instantIn(start, 'invalid start time')
  const until = instantIn(end, 'invalid end time')
  if (since && until && until <= since) throw badRequest('end time must be after start time')
  return { ...(since && { since }), ...(until && { until }) }
}

/** RFC 3339, or without a zone, which then is UTC. */
function instantIn(text: string | undefined, error: string): Date | undefined {
  if (text === undefined || text === '') return undefined
  const found = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?<zone>Z|[+-]\d\d:\d\d)?$/.exec(text)
  const at = found ? Date.parse(found.groups?.['zone'] === undefined ? `${text}Z` : text) : Number.NaN
  if (Number.isNaN(at)) throw badRequest(error)
  return new Date(at)
}
