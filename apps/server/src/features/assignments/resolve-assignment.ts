import type { Bus } from '../../kernel/bus.ts'
import type { Sql } from '../../kernel/db.ts'
import { type Ask, type AssignmentBook, type AssignmentOrder, assignmentBook, type Resolution } from './assignment.ts'
import { listExplicit, listRules } from './assignments-table.ts'

type Needs = {
  readonly db: Sql
  readonly bus: Pick<Bus, 'on' | 'isProven'>
  /** The tenant's setting: who decides first. */
  readonly orderOf: (tenant: string) => Promise<AssignmentOrder>
}

export type ResolveAssignment = (tenant: string, ask: Ask) => Promise<Resolution>

export type Assignments = {
  readonly resolveAssignment: ResolveAssignment
  /** For whoever changed something and asks before the bus has told. */
  readonly forget: (tenant: string) => void
}

/**
 * Which ruleset is meant for an agent. The tenant's rules and explicit assignments are read once and kept until the
 * bus tells of a change: a fleet that reconnects asks ten thousand times.
 */
export function keepAssignments({ db, bus, orderOf }: Needs): Assignments {
  const kept = new Map<string, AssignmentBook>()
  const underWay = new Map<string, Promise<AssignmentBook>>()
  const forget = (tenant: string): void => {
    kept.delete(tenant)
    // Begun before the change, it may have read what was before.
    underWay.delete(tenant)
  }
  bus.on('assignment.changed', ({ tenant }) => {
    if (tenant !== null) forget(tenant)
  })

  const read = (tenant: string): Promise<AssignmentBook> => {
    const reading = readBook(db, tenant).then((book) => {
      if (underWay.get(tenant) === reading) kept.set(tenant, book)
      return book
    })
    underWay.set(tenant, reading)
    void reading
      .catch(() => undefined)
      .then(() => {
        if (underWay.get(tenant) === reading) underWay.delete(tenant)
      })
    return reading
  }

  return {
    forget,
    resolveAssignment: async (tenant, ask) => {
      const found = bus.isProven() ? kept.get(tenant) : undefined
      const book = found ?? (await (underWay.get(tenant) ?? read(tenant)))
      return book.resolve(ask, await orderOf(tenant))
    },
  }
}

async function readBook(db: Sql, tenant: string): Promise<AssignmentBook> {
  const [rules, explicit] = await Promise.all([listRules(db, tenant), listExplicit(db, tenant)])
  const byAgent = new Map(explicit.map(({ environment, agentId, ruleset }) => [`${environment} ${agentId}`, ruleset]))
  return assignmentBook(rules, (environment, agentId) => byAgent.get(`${environment} ${agentId}`))
}
