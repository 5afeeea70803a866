import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Sql } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import {
  type AssignmentBook,
  type AssignmentOrder,
  type AssignmentRule,
  assignmentBook,
  type Resolution,
  ruleMatches,
  sameResolution,
} from './assignment.ts'
import { type KnownAgent, listExplicit, listKnownAgents, listRules } from './assignments-table.ts'
import { priorityTaken, type RuleDraft } from './manage-assignment-rules.ts'

type Needs = { readonly db: Sql; readonly orderOf: (tenant: string) => Promise<AssignmentOrder> }

/** With a draft and no id it is added; with both that rule is changed; with an id alone that rule is deleted. */
export type Hypothesis = { readonly id?: string | undefined; readonly draft?: RuleDraft | undefined }

export type PreviewedAgent = {
  readonly agent: KnownAgent
  readonly before: Resolution
  readonly after: Resolution
}
export type Preview = {
  readonly agents: readonly PreviewedAgent[]
  readonly changedCount: number
  readonly matchedCount: number
}

const shownMax = 1_000
/** So many agents are looked at before others have a turn. */
const turnMax = 500

/** Who would follow another ruleset: asked of the very function that decides when it is real. */
export function previewAssignmentRule({ db, orderOf }: Needs) {
  return async (tenant: string, { id, draft }: Hypothesis): Promise<Preview> => {
    const [rules, explicit, order] = await Promise.all([
      listRules(db, tenant),
      listExplicit(db, tenant),
      orderOf(tenant),
    ])
    const replaced = id === undefined ? undefined : rules.find((rule) => rule.id === id)
    if (id !== undefined && !replaced) throw notFound('assignment rule')
    const others = rules.filter((rule) => rule !== replaced)
    const clash = draft && others.find((rule) => rule.priority === draft.priority)
    if (clash) throw priorityTaken(clash.priority)

    const rule: AssignmentRule | undefined = draft && { ...draft, id: id ?? 'draft' }
    const byAgent = new Map(explicit.map((one) => [`${one.environment} ${one.agentId}`, one.ruleset]))
    const isExplicit = (environment: string, agentId: string) => byAgent.get(`${environment} ${agentId}`)
    const before = assignmentBook(rules, isExplicit)
    const after = assignmentBook(rule ? [...others, rule] : others, isExplicit)
    const environments = [replaced?.environment, rule?.environment].filter((name) => name !== undefined)
    const agents = await listKnownAgents(db, tenant, environments)
    return compare(agents, { before, after }, order, rule ?? replaced)
  }
}

async function compare(
  agents: readonly KnownAgent[],
  books: { readonly before: AssignmentBook; readonly after: AssignmentBook },
  order: AssignmentOrder,
  rule: AssignmentRule | undefined,
): Promise<Preview> {
  const shown: PreviewedAgent[] = []
  let changedCount = 0
  let matchedCount = 0
  for (const [n, agent] of agents.entries()) {
    if (n % turnMax === turnMax - 1) await nextTurn()
    const ask = askOf(agent)
    if (rule && ruleMatches(rule, ask)) matchedCount += 1
    const [before, after] = [books.before.resolve(ask, order), books.after.resolve(ask, order)]
    if (sameResolution(before, after)) continue
    changedCount += 1
    if (shown.length < shownMax) shown.push({ agent, before, after })
  }
  return { agents: shown, changedCount, matchedCount }
}

/** What would be asked if the agent connected now as it did last. */
export function askOf({ environment, agentId, tags, reportedTags, asked }: KnownAgent) {
  return { environment, agentId, tags: { ...tags, ...reportedTags }, asked: asked ?? undefined }
}
