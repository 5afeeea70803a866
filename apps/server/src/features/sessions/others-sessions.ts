import { endedSessions, othersSessionParams, pageOf, personParams, sessionRow } from '@countersign/wire'
import type { Bus } from '../../kernel/bus.ts'
import type { Db } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import { demandCoverOf, findPerson } from '../people/index.ts'
import { type Person, type RequestFacts, type Route, route } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import { endAllSessions } from './end-sessions.ts'
import { sessionOnWire } from './routes.ts'
import type { ReadSessionLimits } from './session-limits.ts'
import { listSessions } from './sessions-table.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly limitsOf: ReadSessionLimits
  readonly recordAct: RecordAct
  readonly bus: Pick<Bus, 'announce'>
}

export type OthersSessions = ReturnType<typeof othersSessions>

/** Other people's sessions: to see them, and to end them. */
export function othersSessions({ db, clock, limitsOf, recordAct, bus }: Needs) {
  return {
    list: async (tenant: string, id: string) => {
      if (!(await findPerson(db, tenant, id))) throw notFound('person')
      return listSessions(db, tenant, id, clock.now(), await limitsOf(tenant))
    },
    end: (who: Person, id: string, which: { readonly only?: string }, facts: RequestFacts): Promise<number> =>
      db.inTx(async (tx) => {
        const person = await findPerson(tx, who.tenant, id)
        if (!person) throw notFound('person')
        await demandCoverOf(tx, who, person, 'sign them out')
        const ended = await endAllSessions(tx, bus, who.tenant, id, which)
        if (ended === 0 && which.only !== undefined) throw notFound('session')
        await recordAct(tx, {
          tenant: who.tenant,
          act: 'session.revoked',
          ...actorOf(who),
          subject: { kind: 'person', id },
          request: facts,
          details: { sessions_ended: ended, ...(which.only !== undefined && { session: which.only }) },
          personal: { ...actorOf(who).personal, subject: { email: person.email } },
        })
        return ended
      }),
  }
}

export function othersSessionRoutes({ sessions }: { readonly sessions: OthersSessions }): readonly Route[] {
  return [
    route({
      does: 'List the sessions of a person',
      method: 'GET',
      path: '/people/:id/sessions',
      needs: 'people:read',
      params: personParams,
      answers: pageOf(sessionRow),
      handle: async ({ who, params: { id } }) => {
        const rows = await sessions.list(who.tenant, id)
        const asking = { sessionId: who.is === 'person' ? who.sessionId : '' }
        return { items: rows.map((row) => sessionOnWire(row, asking)), next_cursor: null }
      },
    }),
    route({
      does: 'End one session of a person',
      method: 'DELETE',
      path: '/people/:id/sessions/:session',
      needs: 'people:write',
      factor: 'step-up',
      params: othersSessionParams,
      answers: endedSessions,
      handle: async ({ who, params: { id, session }, facts }) => ({
        ended: await sessions.end(who, id, { only: session }, facts),
      }),
    }),
    route({
      does: 'End all sessions of a person',
      method: 'DELETE',
      path: '/people/:id/sessions',
      needs: 'people:write',
      factor: 'step-up',
      params: personParams,
      answers: endedSessions,
      handle: async ({ who, params: { id }, facts }) => ({ ended: await sessions.end(who, id, {}, facts) }),
    }),
  ]
}
