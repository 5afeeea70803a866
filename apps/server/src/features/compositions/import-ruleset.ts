import type { RulesetImport } from '@countersign/wire'
import type { Db } from '../../kernel/db.ts'
import { invalidInput } from '../../kernel/problem.ts'
import { findRuleVersion, insertRule, type ManageRules, nextRuleVersion, refusal } from '../library/index.ts'
import type { Caller, RequestFacts } from '../roles/index.ts'
import type { ReadRulesets } from '../rulesets/index.ts'
import type { WantedItem } from './composition.ts'
import { findComposition, listItems } from './compositions-table.ts'
import type { ManageCompositions } from './manage-compositions.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly read: Pick<ReadRulesets, 'rules'>
  readonly rules: ManageRules
  readonly compositions: ManageCompositions
}

export type Existing = 'skip' | 'merge' | 'replace'

/**
 * Takes a ruleset apart into rules of the library and a composition that makes the same ruleset again: modes, order, tools,
 * observability and what is disabled are kept. A rule that is there already gets a version only when it differs.
 */
export function importRuleset({ db, clock, read, rules, compositions }: Needs) {
  return async (
    who: Caller,
    {
      yaml,
      field,
      existing = 'merge',
    }: { readonly yaml: string; readonly field: string; readonly existing?: Existing | undefined },
    facts: RequestFacts,
  ): Promise<RulesetImport> => {
    const found = await read.rules(who.tenant, yaml, undefined)
    if (!found.ok) throw refusal(field, found)
    const { document } = found
    if (!document) throw invalidInput(`body.${field}`, 'Give a whole ruleset: apiVersion, kind, metadata and rules.')
    if (document.isPartOfAnother) {
      throw invalidInput(
        `body.${field}`,
        'A ruleset that extends another, or runs alongside one, is not complete by itself.',
      )
    }
    if (found.rules.length === 0) throw invalidInput(`body.${field}`, 'There is no rule in it.')
    return db.inTx(async (tx) => {
      const told: { created: string[]; updated: string[]; unchanged: string[] } = {
        created: [],
        updated: [],
        unchanged: [],
      }
      const items: WantedItem[] = []
      for (const rule of found.rules) {
        const ruleId = rule.id
        const before = await findRuleVersion(tx, who.tenant, ruleId)
        const words = before ?? { name: titleOf(ruleId), description: null, tags: [] }
        const { name, description, tags } = words
        let version = before?.version ?? 1
        if (!before) {
          await insertRule(tx, who.tenant, ruleId, clock.now())
          told.created.push(ruleId)
        } else if (before.texts.ruleset === rule.texts.ruleset) told.unchanged.push(ruleId)
        else {
          version = (await nextRuleVersion(tx, who.tenant, ruleId)) ?? version + 1
          told.updated.push(ruleId)
        }
        if (!told.unchanged.includes(ruleId)) {
          await rules.put(tx, who, { ruleId, name, description, tags, rule }, version)
          await rules.tell(tx, who, before ? 'changed' : 'created', { ruleId, version }, facts)
        }
        items.push({ ruleId, version, mode: null, isEnabled: rule.isEnabled })
      }
      const name = document.name
      const known = await findComposition(tx, who.tenant, name)
      const words = {
        description: document.description ?? null,
        defaultMode: document.defaultMode,
        tools: document.tools,
        observability: document.observability,
      }
      if (!known) {
        await compositions.createIn(tx, who, name, { ...words, items }, facts)
        return { ...told, composition: name, composition_is: 'created' as const }
      }
      if (existing === 'skip') return { ...told, composition: name, composition_is: 'skipped' as const }
      if (existing === 'replace') {
        await compositions.changeIn(tx, who, name, known.edit, { ...words, items }, facts)
        return { ...told, composition: name, composition_is: 'replaced' as const }
      }
      // Merged rules keep their mode also where the composition's default is another.
      const fresh = items.map((item) => ({ ...item, mode: modeFor(item, document.defaultMode, known.defaultMode) }))
      const merged = mergeItems(await listItems(tx, who.tenant, name), fresh)
      await compositions.changeIn(tx, who, name, known.edit, { items: merged }, facts)
      return { ...told, composition: name, composition_is: 'merged' as const }
    })
    function modeFor(item: WantedItem, own: 'enforce' | 'observe', theirs: 'enforce' | 'observe') {
      const rule = found.ok ? found.rules.find(({ id }) => id === item.ruleId) : undefined
      const says = typeof rule?.definition === 'object' && rule.definition !== null && 'mode' in rule.definition
      return says || own === theirs ? null : own
    }
  }
}

/** Its own items stay where they are, at the imported version; new ones stand behind. */
function mergeItems(
  before: readonly (WantedItem & { readonly position: number })[],
  fresh: readonly WantedItem[],
): readonly WantedItem[] {
  const news = new Map(fresh.map((item) => [item.ruleId, item]))
  const kept = before.map((item) => ({ ...item, version: news.get(item.ruleId)?.version ?? item.version }))
  const known = new Set(before.map(({ ruleId }) => ruleId))
  return [...kept, ...fresh.filter(({ ruleId }) => !known.has(ruleId))]
}

function titleOf(ruleId: string): string {
  const words = ruleId.split(/[-_]+/).filter((word) => word !== '')
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(' ') || ruleId
}
