import type { JsonValue, Rule, Ruleset, Tool } from './model.ts'
import { ruleMode } from './model.ts'
import { meaningOf } from './same-ruleset.ts'
import { observabilityToData, ruleToData, toolToData } from './to-data.ts'

/** One thing that differs, as it would be written in a Ruleset; absent on the side where nothing was written. */
export interface FieldChange {
  /** Such as `when`, `then.message`, `limits.max_tool_calls`. */
  readonly field: string
  readonly before?: JsonValue
  readonly after?: JsonValue
}

export interface RuleChange {
  readonly id: string
  readonly before: Rule
  readonly after: Rule
  readonly fields: readonly FieldChange[]
}

export interface ToolChange {
  readonly name: string
  readonly before?: Tool
  readonly after?: Tool
}

export interface RulesetDiff {
  readonly isSame: boolean
  /** `name`, `description`, `defaults.mode`, `extends`, `observability`, `observe_alongside`. */
  readonly document: readonly FieldChange[]
  readonly added: readonly Rule[]
  readonly removed: readonly Rule[]
  readonly changed: readonly RuleChange[]
  /** Rules whose mode is another now, whether they say so themselves or follow the default. */
  readonly modes: readonly { readonly id: string; readonly before: Rule['mode']; readonly after: Rule['mode'] }[]
  /** Ids of rules that kept their text but not their place among the rules present on both sides: the first that fires wins. */
  readonly moved: readonly string[]
  readonly tools: readonly ToolChange[]
}

/** What changes for an agent, as data: rules by id in the order of `after`, removed ones in the order of `before`. */
export function diffRulesets(before: Ruleset, after: Ruleset): RulesetDiff {
  const old = new Map(before.rules.map((rule) => [rule.id, rule]))
  const now = new Map(after.rules.map((rule) => [rule.id, rule]))
  const pairs = after.rules.flatMap((rule) => {
    const earlier = old.get(rule.id)
    return earlier ? [{ earlier, rule }] : []
  })
  const added = after.rules.filter((rule) => !old.has(rule.id))
  const removed = before.rules.filter((rule) => !now.has(rule.id))
  const changed = pairs.flatMap(({ earlier, rule }) => {
    const isModeKept = ruleMode(earlier, before) === ruleMode(rule, after)
    // A mode that is written out where it was inherited changes nothing for an agent.
    const fields = changesOf(ruleToData(earlier), ruleToData(rule)).filter(
      ({ field }) => field !== 'mode' || !isModeKept,
    )
    return fields.length > 0 ? [{ id: rule.id, before: earlier, after: rule, fields }] : []
  })
  const modes = pairs.flatMap(({ earlier, rule }) => {
    const [was, is] = [ruleMode(earlier, before), ruleMode(rule, after)]
    return was === is ? [] : [{ id: rule.id, before: was, after: is }]
  })
  const document = changesOf(documentToData(before), documentToData(after))
  const tools = diffTools(before.tools, after.tools)
  const moved = movedIds(
    before.rules,
    pairs.map(({ rule }) => rule.id),
  )
  const isSame = [document, added, removed, changed, moved, tools].every((list) => list.length === 0)
  return { isSame, document, added, removed, changed, modes, moved, tools }
}

type Data = { readonly [key: string]: JsonValue }

function documentToData(ruleset: Ruleset): Data {
  return {
    name: ruleset.name,
    ...(ruleset.description === undefined ? {} : { description: ruleset.description }),
    defaults: { mode: ruleset.defaultMode },
    ...(ruleset.extends === undefined ? {} : { extends: ruleset.extends }),
    ...(ruleset.observability ? { observability: observabilityToData(ruleset.observability) } : {}),
    ...(ruleset.observeAlongside ? { observe_alongside: true } : {}),
  }
}

/** Conditions and lists are compared whole; `then`, `limits`, `allows` and their like field by field. */
const opened = new Set(['defaults', 'then', 'limits', 'allows', 'not_allows'])

function changesOf(before: Data, after: Data, prefix = ''): readonly FieldChange[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].flatMap((key) => {
    const [was, is] = [before[key], after[key]]
    if (meaningOf(was) === meaningOf(is)) return []
    if (prefix === '' && opened.has(key)) return changesOf(dataOf(was), dataOf(is), `${key}.`)
    const sides = { ...(was === undefined ? {} : { before: was }), ...(is === undefined ? {} : { after: is }) }
    return [{ field: `${prefix}${key}`, ...sides }]
  })
}

function dataOf(value: JsonValue | undefined): Data {
  return isData(value) ? value : {}
}

function isData(value: JsonValue | undefined): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function diffTools(before: readonly Tool[], after: readonly Tool[]): readonly ToolChange[] {
  const old = new Map(before.map((tool) => [tool.name, tool]))
  const now = new Map(after.map((tool) => [tool.name, tool]))
  const names = [...now.keys(), ...[...old.keys()].filter((name) => !now.has(name))]
  return names.flatMap((name) => {
    const [was, is] = [old.get(name), now.get(name)]
    if (was && is && meaningOf(toolToData(was)) === meaningOf(toolToData(is))) return []
    return [{ name, ...(was ? { before: was } : {}), ...(is ? { after: is } : {}) }]
  })
}

/** The fewest rules that must have moved: all but the longest run that kept its order. */
function movedIds(before: readonly Rule[], afterIds: readonly string[]): readonly string[] {
  const place = new Map(before.map((rule, index) => [rule.id, index]))
  const places = afterIds.map((id) => place.get(id) ?? 0)
  const kept = longestRise(places)
  return afterIds.filter((_, index) => !kept.has(index))
}

/** Indexes of one longest increasing subsequence. */
function longestRise(values: readonly number[]): ReadonlySet<number> {
  const tails: number[] = []
  const previous: number[] = []
  for (const [index, value] of values.entries()) {
    let low = 0
    let high = tails.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((values[tails[middle] ?? 0] ?? 0) < value) low = middle + 1
      else high = middle
    }
    previous.push(low > 0 ? (tails[low - 1] ?? -1) : -1)
    tails[low] = index
  }
  const kept = new Set<number>()
  for (let at = tails.at(-1) ?? -1; at !== -1; at = previous[at] ?? -1) kept.add(at)
  return kept
}
