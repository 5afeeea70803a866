import type { Bus } from '../../kernel/bus.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import { sqlState } from '../../kernel/db.ts'
import { notFound, Problem, problems } from '../../kernel/problem.ts'
import type { Caller, RequestFacts } from '../roles/index.ts'
import { diagnosticOnWire, type ReadRule, type ReadRulesets, type RulesRead } from '../rulesets/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import {
  deleteRule,
  findRuleVersion,
  insertRule,
  insertVersion,
  listUses,
  nextRuleVersion,
  type RuleVersion,
} from './library-table.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly newId: () => string
  readonly read: Pick<ReadRulesets, 'rules'>
  readonly tell: { readonly bus: Pick<Bus, 'announce'>; readonly recordAct: RecordAct }
}

export type NewRule = {
  readonly ruleId: string
  readonly name: string
  readonly description: string | null
  readonly tags: readonly string[]
  /** The rule as YAML or JSON; errors name the field it came in. */
  readonly text: string
  readonly field: string
}

export type RuleChange = Partial<Omit<NewRule, 'ruleId' | 'field'>> & { readonly field: string }

export type ManageRules = ReturnType<typeof manageRules>

/** Makes, changes and removes reusable rules. A change makes a version; what compositions pinned stays. */
export function manageRules({ db, clock, newId, read, tell: { bus, recordAct } }: Needs) {
  const check = async (tenant: string, ruleId: string, text: string, field: string): Promise<ReadRule> => {
    const found = await read.rules(tenant, text, ruleId)
    const [rule] = found.ok ? found.rules : []
    if (!found.ok || !rule) throw refusal(field, found)
    if (found.rules.length > 1) throw refusal(field, { ok: false, diagnostics: [] }, 'Give one rule, not several.')
    return rule
  }

  const tell = async (
    tx: Tx,
    who: Caller,
    act: 'created' | 'changed' | 'deleted',
    { ruleId, version }: { readonly ruleId: string; readonly version: number | null },
    facts: RequestFacts,
  ): Promise<void> => {
    await recordAct(tx, {
      ...actorOf(who),
      tenant: who.tenant,
      act: `library_rule.${act}`,
      subject: { kind: 'library_rule', id: ruleId },
      request: facts,
      details: { version },
    })
    await bus.announce(tx, { topic: `library_rule.${act}`, tenant: who.tenant, body: { rule_id: ruleId, version } })
  }

  /** Within the caller's transaction, for imports. */
  const put = async (
    tx: Tx,
    who: Caller,
    { rule, ...words }: Pick<NewRule, 'ruleId' | 'name' | 'description' | 'tags'> & { readonly rule: ReadRule },
    version: number,
  ): Promise<void> => {
    await insertVersion(tx, {
      ...words,
      tenant: who.tenant,
      id: newId(),
      version,
      type: rule.type,
      texts: rule.texts,
      definition: rule.definition,
      madeBy: who.id,
      madeAt: clock.now(),
    })
  }

  return {
    put,
    tell,
    create: async (who: Caller, given: NewRule, facts: RequestFacts): Promise<RuleVersion> => {
      const { text, field, ...words } = given
      const rule = await check(who.tenant, given.ruleId, text, field)
      return db.inTx(async (tx) => {
        if (!(await insertRule(tx, who.tenant, given.ruleId, clock.now()))) throw taken(given.ruleId)
        await put(tx, who, { ...words, rule }, 1)
        await tell(tx, who, 'created', { ruleId: given.ruleId, version: 1 }, facts)
        return must(await findRuleVersion(tx, who.tenant, given.ruleId))
      })
    },
    /** Makes a version of what is given and, for the rest, of what was. Its type stays. */
    change: async (who: Caller, ruleId: string, change: RuleChange, facts: RequestFacts): Promise<RuleVersion> => {
      const { text, field, ...words } = change
      if (!(await findRuleVersion(db, who.tenant, ruleId))) throw notFound('rule')
      const rule = text === undefined ? undefined : await check(who.tenant, ruleId, text, field)
      return db.inTx(async (tx) => {
        // Locks the rule, so that what is copied below is of the version before.
        const version = await nextRuleVersion(tx, who.tenant, ruleId)
        const before = version && (await findRuleVersion(tx, who.tenant, ruleId, version - 1))
        if (!before) throw notFound('rule')
        if (rule && rule.type !== before.type) {
          throw refusal(
            field,
            { ok: false, diagnostics: [] },
            `It is a ${before.type} rule, and its type cannot change.`,
          )
        }
        const { type, texts, definition } = before
        const kept = rule ?? { id: ruleId, isEnabled: true, type, texts, definition: definition as never }
        await put(
          tx,
          who,
          {
            ruleId,
            name: words.name ?? before.name,
            description: words.description === undefined ? before.description : words.description,
            tags: words.tags ?? before.tags,
            rule: kept,
          },
          version,
        )
        await tell(tx, who, 'changed', { ruleId, version }, facts)
        return must(await findRuleVersion(tx, who.tenant, ruleId))
      })
    },
    remove: (who: Caller, ruleId: string, facts: RequestFacts): Promise<void> =>
      db
        .inTx(async (tx) => {
          const uses = await listUses(tx, who.tenant, ruleId)
          if (uses.length > 0)
            throw inUse(
              ruleId,
              uses.map(({ composition }) => composition),
            )
          if (!(await deleteRule(tx, who.tenant, ruleId))) throw notFound('rule')
          await tell(tx, who, 'deleted', { ruleId, version: null }, facts)
        })
        .catch((cause: unknown) => {
          // A composition that began to use it at this very moment.
          throw sqlState(cause) === '23503' ? inUse(ruleId, []) : cause
        }),
  }
}

function must(rule: RuleVersion | undefined): RuleVersion {
  if (!rule) throw notFound('rule')
  return rule
}

function taken(ruleId: string): Problem {
  return new Problem(problems.conflict, `There is a rule ${ruleId} already. Change that one, or choose another id.`)
}

function inUse(ruleId: string, compositions: readonly string[]): Problem {
  const where = compositions.length > 0 ? `: ${compositions.join(', ')}` : ''
  return new Problem(problems.conflict, `${ruleId} is used by compositions${where}. Take it out of them first.`, {
    facts: { compositions },
  })
}

/** The first mistake in words, all of them as data for editors. */
export function refusal(field: string, found: RulesRead, words?: string): Problem {
  const errors = found.ok ? [] : found.diagnostics.filter(({ severity }) => severity === 'error')
  const [first] = errors
  const detail = words ?? (first ? `Line ${first.line}: ${first.message}` : 'There is no rule in it.')
  return new Problem(problems.invalidInput, `The rule was not accepted. ${detail}`, {
    errors: [{ path: `body.${field}`, message: detail }],
    facts: { diagnostics: found.diagnostics.map(diagnosticOnWire) },
  })
}
