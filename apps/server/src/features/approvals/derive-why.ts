import { compile, decidePre, type JsonObject, type Rule, type Ruleset, ruleMode } from '@countersign/rules'
import type { ApprovalDetail } from '@countersign/wire'
import { redactText } from '../redaction/index.ts'
import type { Asked } from './approval.ts'

/** What was asked, before anything was decided about it. */
type Call = Omit<Asked, 'digest' | 'policy'>

type Why = ApprovalDetail['why']

/** The text of a revision and where it stands, found by the hash that agents report. */
export type RevisionText = {
  readonly ruleset: string
  readonly version: number
  readonly text: string
  readonly model: Ruleset
}

/**
 * Why a call was held. No agent says which rule asked, so it is looked for in the revision the agent was last seen
 * running: rules that ask for such a call with the very message, or else those whose message reads alike.
 */
export function deriveWhy(asked: Call, revision: RevisionText | undefined): Why {
  const known = { ruleset: revision?.ruleset ?? null, version: revision?.version ?? null, revision: asked.revision }
  const ruleset = revision?.model
  if (asked.claimedRule !== null) {
    const rule = ruleset?.rules.find(({ id }) => id === asked.claimedRule)
    const rules = rule && revision ? [ruleView(rule, revision.text)] : [unknownRule(asked.claimedRule)]
    return { ...known, source: 'claimed', sentence: 'The agent named this rule; nothing proves it.', rules }
  }
  if (!revision || !ruleset) return { ...known, source: 'unknown', sentence: unknownWords(asked), rules: [] }
  const asking = ruleset.rules.filter((rule) => asks(rule, ruleset))
  const firing = asking.filter((rule) => wouldAsk(rule, ruleset, asked))
  const found = firing.length > 0 ? firing : asking.filter((rule) => readsAlike(rule, asked))
  return {
    ...known,
    source: found.length > 0 ? 'derived' : 'unknown',
    sentence: sentenceFor(found.length, firing.length > 0, revision),
    rules: found.map((rule) => ruleView(rule, revision.text)),
  }
}

function unknownWords({ revision }: Call): string {
  return revision === null
    ? 'The agent does not say which rule asked, and this server has not seen which revision it runs.'
    : 'The agent does not say which rule asked, and the revision it runs is not one of this server.'
}

function sentenceFor(count: number, isEvaluated: boolean, { ruleset, version }: RevisionText): string {
  const where = `${ruleset} version ${version}, which the agent was last seen running`
  if (count === 0) return `No rule of ${where}, asks for a call like this. The agent may run another revision.`
  const how = isEvaluated ? 'asks for exactly this call' : 'has a message like this one'
  return count === 1
    ? `Derived: the one rule of ${where}, that ${how}.`
    : `Derived: ${count} rules of ${where}, could have asked; the agent does not say which did.`
}

function asks(rule: Rule, ruleset: Ruleset): boolean {
  if (!rule.enabled || ruleMode(rule, ruleset) !== 'enforce') return false
  return (rule.type === 'pre' && rule.then.action === 'ask') || (rule.type === 'sandbox' && rule.outside === 'ask')
}

/** The rule alone, asked about the call as it is shown. What was redacted may make it miss; then the message is compared. */
function wouldAsk(rule: Rule, ruleset: Ruleset, { tool, args, environment, message }: Call): boolean {
  const call = { tool, environment, args: args === null ? {} : (JSON.parse(args) as JsonObject) }
  const { verdict, decidedBy } = decidePre(compile({ ...ruleset, rules: [rule] }), call)
  return verdict === 'ask' && decidedBy !== undefined && redactText(decidedBy.message) === message
}

/** The fixed parts of the rule's message occur in the call's message, in their order, and the tool is not another one. */
function readsAlike(rule: Rule, { tool, message }: Call): boolean {
  const tools = rule.type === 'pre' ? [rule.tool] : rule.type === 'sandbox' ? rule.tools : []
  if (!tools.some((one) => one === tool || /[*?[]/.test(one))) return false
  let from = 0
  for (const part of messageOf(rule).split(/\{[^}]+\}/)) {
    const at = message.indexOf(part, from)
    if (at === -1) return false
    from = at + part.length
  }
  return true
}

function messageOf(rule: Rule): string {
  return rule.type === 'sandbox' ? rule.message : rule.then.message
}

function ruleView(rule: Rule, text: string): Why['rules'][number] {
  const tags = rule.type === 'sandbox' ? [] : [...rule.then.tags]
  return { id: rule.id, message: messageOf(rule), condition: conditionIn(rule, text), tags }
}

function unknownRule(id: string): Why['rules'][number] {
  return { id, message: '', condition: null, tags: [] }
}

/** The rule's `when` as it was written, or the whole rule where there is none. */
function conditionIn({ line, endLine }: Rule, text: string): string {
  const lines = text.split(/\r?\n/).slice(line - 1, endLine)
  const start = lines.findIndex((one) => /^\s*(?:- )?when:/.test(one))
  const depth = indentOf(lines[start] ?? '')
  const length = lines.slice(start + 1).findIndex((one) => one.trim() !== '' && indentOf(one) <= depth)
  const chosen = start === -1 ? lines : lines.slice(start, length === -1 ? undefined : start + 1 + length)
  const margin = Math.min(...chosen.filter((one) => one.trim() !== '').map(indentOf))
  return chosen
    .map((one) => one.slice(Number.isFinite(margin) ? margin : 0))
    .join('\n')
    .trimEnd()
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}
