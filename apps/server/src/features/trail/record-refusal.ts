import type { Db } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import type { Principal, RecordRefusal } from '../roles/index.ts'
import type { Act } from './act.ts'
import type { RecordAct } from './record-act.ts'
import { findOnlyTenant } from './trail-tables.ts'

type Needs = { readonly db: Pick<Db, 'query'>; readonly record: RecordAct; readonly log: Log }

/**
 * Writes a refused request into the trail. Whoever was refused is refused either way, so that a failure here is told
 * to the log and to nobody else.
 */
export function recordRefusal({ db, record, log }: Needs): RecordRefusal {
  return async ({ who, route, code, facts }) => {
    try {
      await record(db, {
        // While there is one tenant, strangers at its door are its business.
        tenant: who?.tenant ?? (await findOnlyTenant(db)),
        act: 'route.refused',
        outcome: 'refused',
        subject: { kind: 'route', id: `${route.method} ${route.path}` },
        request: facts,
        details: {
          code,
          does: route.does,
          ...(who?.is === 'agent' && who.agentId !== undefined && { agent_id: who.agentId }),
        },
        ...actorOf(who),
      })
    } catch (err) {
      log.error({ err, request: facts.id }, 'A refusal could not be written into the trail')
    }
  }
}

/** Who acted, as entries name them, with what must be erasable about them. */
export function actorOf(who: Principal | undefined): Pick<Act, 'actor' | 'personal'> {
  if (who === undefined) return { actor: { kind: 'anyone', id: '-' } }
  switch (who.is) {
    case 'person':
      return {
        actor: { kind: 'person', id: who.id, credential: 'session', key_id: who.sessionId },
        personal: { actor: { email: who.email, name: who.name } },
      }
    case 'agent':
      return { actor: { kind: 'agent_key', id: who.keyId, credential: 'agent_key', key_id: who.keyId } }
  }
}
