import {
  composeRuleset,
  type Expression,
  type PreRule,
  parseRuleset,
  type Ruleset,
  ruleTexts,
} from '@countersign/rules'

export type DraftOrder = {
  readonly text: string
  readonly tool: string
  readonly action: 'ask' | 'block'
  readonly mode?: 'enforce' | 'observe' | undefined
}

export type DraftedRule = {
  readonly ruleId: string
  readonly yaml: string
  readonly line: number
  readonly endLine: number
}

/** The document with one more rule behind its last: about every call of a tool. Its own text is kept as it was written. Pure. */
export function draftRuleFor({ text, tool, action, mode }: DraftOrder): DraftedRule {
  const parsed = parseRuleset(text)
  if (!parsed.ok) throw new Error(`A stored revision is refused: ${parsed.diagnostics[0]?.message ?? ''}`)
  const { ruleset } = parsed
  const rule = ruleAbout(tool, action, mode, freeId(ruleset, `${action}-${slugOf(tool)}`))
  return inPlace(text, ruleset, rule) ?? printedAnew(ruleset, rule)
}

function ruleAbout(tool: string, action: 'ask' | 'block', mode: DraftOrder['mode'], id: string): PreRule {
  // What reads as a pattern would stand for other tools too.
  const isPattern = /[*?[\]]/.test(tool)
  const when: Expression = isPattern
    ? { is: 'test', selector: 'tool.name', operator: 'equals', operand: tool, line: 1 }
    : { is: 'test', selector: 'tool.name', operator: 'exists', operand: true, line: 1 }
  const message = action === 'ask' ? `A call of ${tool} needs a person.` : `${tool} may not be called.`
  return {
    id,
    type: 'pre',
    enabled: true,
    ...(mode === undefined ? {} : { mode }),
    tool: isPattern ? '*' : tool,
    when,
    // Braces would be read as a placeholder.
    then: {
      action,
      message: message.replaceAll(/[{}]/g, ''),
      tags: ['drafted'],
      metadata: {},
      timeoutSeconds: 300,
      timeoutAction: 'block',
    },
    line: 1,
    endLine: 1,
  }
}

function slugOf(tool: string): string {
  const slug = tool
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return slug.slice(0, 60) || 'tool'
}

function freeId({ rules }: Ruleset, wanted: string): string {
  const taken = new Set(rules.map(({ id }) => id))
  for (let n = 1; ; n += 1) {
    const id = n === 1 ? wanted : `${wanted}-${n}`
    if (!taken.has(id)) return id
  }
}

/** Behind the last line of the last rule, as deep as that one stands; nothing when the layout has no such place. */
function inPlace(text: string, ruleset: Ruleset, rule: PreRule): DraftedRule | undefined {
  const last = ruleset.rules.toSorted((a, b) => a.line - b.line).at(-1)
  if (!last) return undefined
  const lines = text.split('\n')
  const dash = /^( *)- /.exec(lines[last.line - 1] ?? '')
  if (!dash) return undefined
  const pad = dash[1] ?? ''
  const body = ruleset.dialect === 'Ruleset' ? ruleTexts(rule).ruleset : ruleTexts(rule).contractBundle
  const inner = body
    .trimEnd()
    .split('\n')
    .map((line) => `${pad}  ${line}`)
  const added = [`${pad}- id: ${rule.id}`, ...inner]
  const before = lines.slice(0, last.endLine)
  const yaml = [...before, ...added, ...lines.slice(last.endLine)].join('\n')
  const made = parseRuleset(yaml)
  const isWhole = made.ok && made.ruleset.rules.length === ruleset.rules.length + 1
  if (!isWhole || !made.ruleset.rules.some(({ id }) => id === rule.id)) return undefined
  return { ruleId: rule.id, yaml, line: before.length + 1, endLine: before.length + added.length }
}

/** A document in one pair of braces, or without rules, has no place to insert: it is written out, comments are lost. */
function printedAnew(ruleset: Ruleset, rule: PreRule): DraftedRule {
  const { name, description, defaultMode, rules } = ruleset
  const tools = Object.fromEntries(
    ruleset.tools.map((tool) => [tool.name, { side_effect: tool.sideEffect, idempotent: tool.idempotent }]),
  )
  const made = composeRuleset({
    name,
    description,
    defaultMode,
    items: [...rules, rule].map((one) => ({ rule: one })),
    tools,
  })
  if (!made.ok) throw new Error(`A drafted ruleset is refused: ${made.diagnostics[0]?.message ?? ''}`)
  const drafted = made.ruleset.rules.find(({ id }) => id === rule.id)
  return { ruleId: rule.id, yaml: made.text, line: drafted?.line ?? 1, endLine: drafted?.endLine ?? 1 }
}
