import type { Bus } from '../../kernel/bus.ts'
import { type Db, isUniqueViolation, type Tx } from '../../kernel/db.ts'
import { invalidInput, notFound, Problem, problems } from '../../kernel/problem.ts'
import { type Caller, demand, type RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import type { AssignmentRule } from './assignment.ts'
import { deleteRule, findRuleForUpdate, holdEnvironment, insertRule, updateRule } from './assignments-table.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly newId: () => string
  readonly recordAct: RecordAct
  readonly tell: { readonly bus: Pick<Bus, 'announce'>; readonly forget: (tenant: string) => void }
}

export type RuleDraft = Omit<AssignmentRule, 'id'>
export type RuleChange = { readonly [Field in keyof RuleDraft]?: RuleDraft[Field] | undefined }

export type ManageAssignmentRules = ReturnType<typeof manageAssignmentRules>

/** Adding, changing and removing rules; connected agents whose ruleset becomes another one are told at once. */
export function manageAssignmentRules({ db, clock, newId, recordAct, tell: { bus, forget } }: Needs) {
  const tell = async (
    tx: Tx,
    who: Caller,
    facts: RequestFacts,
    action: 'created' | 'changed' | 'deleted',
    sides: { readonly before?: AssignmentRule; readonly after?: AssignmentRule },
  ): Promise<void> => {
    const rule = sides.after ?? sides.before
    if (!rule) return
    await recordAct(tx, {
      ...actorOf(who),
      tenant: who.tenant,
      act: `assignment_rule.${action}`,
      subject: { kind: 'assignment_rule', id: rule.id },
      request: facts,
      details: { ...sides },
    })
    await bus.announce(tx, {
      topic: 'assignment.changed',
      tenant: who.tenant,
      body: { rule_id: rule.id, action, environment: rule.environment },
    })
    tx.afterCommit(() => forget(who.tenant))
  }

  const write = async (tx: Tx, tenant: string, rule: AssignmentRule, work: () => Promise<void>): Promise<void> => {
    if (!(await holdEnvironment(tx, tenant, rule.environment))) {
      throw invalidInput('body.environment', `There is no environment ${rule.environment}.`)
    }
    await work().catch((cause: unknown) => {
      throw isUniqueViolation(cause) ? priorityTaken(rule.priority, cause) : cause
    })
  }

  return {
    add: (who: Caller, draft: RuleDraft, facts: RequestFacts): Promise<AssignmentRule> =>
      db.inTx(async (tx) => {
        const rule = { ...draft, id: newId() }
        demand(who, 'assignments:write', { environment: rule.environment })
        await write(tx, who.tenant, rule, () =>
          insertRule(tx, { ...rule, tenant: who.tenant, by: who.id, at: clock.now() }),
        )
        await tell(tx, who, facts, 'created', { after: rule })
        return rule
      }),

    change: (who: Caller, id: string, change: RuleChange, facts: RequestFacts): Promise<AssignmentRule> =>
      db.inTx(async (tx) => {
        const before = await findRuleForUpdate(tx, who.tenant, id)
        if (!before) throw notFound('assignment rule')
        const after = changed(before, change)
        for (const { environment } of [before, after]) demand(who, 'assignments:write', { environment })
        await write(tx, who.tenant, after, () => updateRule(tx, { ...after, tenant: who.tenant, at: clock.now() }))
        await tell(tx, who, facts, 'changed', { before, after })
        return after
      }),

    remove: (who: Caller, id: string, facts: RequestFacts): Promise<void> =>
      db.inTx(async (tx) => {
        const before = await findRuleForUpdate(tx, who.tenant, id)
        if (!before) throw notFound('assignment rule')
        demand(who, 'assignments:write', { environment: before.environment })
        await deleteRule(tx, who.tenant, id)
        await tell(tx, who, facts, 'deleted', { before })
      }),
  }
}

function changed(before: AssignmentRule, change: RuleChange): AssignmentRule {
  return {
    id: before.id,
    priority: change.priority ?? before.priority,
    pattern: change.pattern ?? before.pattern,
    tagMatch: change.tagMatch === undefined ? before.tagMatch : change.tagMatch,
    environment: change.environment ?? before.environment,
    ruleset: change.ruleset ?? before.ruleset,
  }
}

export function priorityTaken(priority: number, cause?: unknown): Problem {
  return new Problem(
    problems.conflict,
    `Another rule already has the priority ${priority}. Which of two rules wins must be plain, so each has its own.`,
    { cause },
  )
}
