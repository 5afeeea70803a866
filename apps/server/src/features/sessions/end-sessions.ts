import type { Bus } from '../../kernel/bus.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import type { Person, RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import { deleteSessions } from './sessions-table.ts'

type Needs = { readonly db: Db; readonly bus: Pick<Bus, 'announce'>; readonly recordAct: RecordAct }

export type EndSessions = (
  who: Person,
  which: { readonly only?: string; readonly except?: string },
  facts: RequestFacts,
) => Promise<number>

/** Ends sessions of the person who asks: one, or all but one. Every replica forgets them within a second. */
export function endSessions({ db, bus, recordAct }: Needs): EndSessions {
  return (who, which, facts) =>
    db.inTx(async (tx) => {
      const ended = await deleteSessions(tx, who.tenant, who.id, which)
      for (const id of ended) {
        await bus.announce(tx, { topic: 'session.ended', tenant: who.tenant, body: { session_id: id } })
        await recordAct(tx, {
          tenant: who.tenant,
          act: 'session.ended',
          ...actorOf(who),
          subject: { kind: 'session', id },
          request: facts,
        })
      }
      return ended.length
    })
}

/** Ends every session of somebody, or one, in the transaction of the act that demands it. The act's own entry tells of it. */
export async function endAllSessions(
  tx: Tx,
  bus: Pick<Bus, 'announce'>,
  tenant: string,
  person: string,
  which: { readonly only?: string } = {},
): Promise<number> {
  const ended = await deleteSessions(tx, tenant, person, which)
  for (const id of ended) await bus.announce(tx, { topic: 'session.ended', tenant, body: { session_id: id } })
  return ended.length
}
