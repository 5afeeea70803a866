import {
  type Call,
  type Condition,
  compile,
  explain,
  type Facts,
  type Fired,
  type JsonObject,
  type JsonValue,
  type LimitFinding,
  type Principal,
  parseRuleset,
  type RuleExplanation,
  type Ruleset,
  redactArguments,
  sideEffectOf,
} from '@countersign/rules'
import type { ConditionLine, EvaluatedRule, Evaluation, TriedCall } from '@countersign/wire'

/** What a checked text says to a call. Pure; the caller adds what it knows of the document. */
export type Evaluated = Pick<
  Evaluation,
  'verdict' | 'decided_by' | 'hold' | 'side_effect' | 'rules' | 'words' | 'post' | 'evaluation_ms'
> & { readonly defaultMode: Ruleset['defaultMode'] }

export function evaluateText(text: string, tried: TriedCall): Evaluated {
  const parsed = parseRuleset(text)
  if (!parsed.ok) throw new Error(`A checked ruleset is refused: ${parsed.diagnostics[0]?.message ?? ''}`)
  const compiled = compile(parsed.ruleset)
  const call = callOf(tried)
  const output = tried.output === undefined ? undefined : { result: tried.output as JsonValue }
  const begun = performance.now()
  const explained = explain(compiled, call, factsOf(tried), output ? { output } : {})
  const milliseconds = Math.round((performance.now() - begun) * 100) / 100
  const { decision, post } = explained
  return {
    verdict: explained.verdict === 'ask' ? 'hold' : (explained.verdict ?? null),
    decided_by: decision?.decidedBy ? spokenBy(decision.decidedBy) : null,
    hold: decision?.hold
      ? { timeout_seconds: decision.hold.timeoutSeconds, timeout_action: decision.hold.timeoutAction }
      : null,
    side_effect: sideEffectOf(call, compiled.tools),
    rules: explained.rules.map((rule) => ruleOnWire(rule)),
    words: explained.words.split('\n').filter((line) => line !== ''),
    post: post
      ? {
          passed: post.passed,
          is_suppressed: post.isSuppressed,
          is_replaced: post.isReplaced,
          warnings: [...post.warnings],
          result: shown(post.result),
        }
      : null,
    evaluation_ms: milliseconds,
    defaultMode: parsed.ruleset.defaultMode,
  }
}

function callOf({ tool, args, environment, principal, metadata }: TriedCall): Call {
  // Checked to be JSON when the request was read.
  return {
    tool,
    args: args as JsonObject,
    ...(environment === undefined ? {} : { environment }),
    ...(principal ? { principal: principalOf(principal) } : {}),
    ...(metadata === undefined ? {} : { metadata: metadata as JsonObject }),
  }
}

function principalOf(given: NonNullable<TriedCall['principal']>): Principal {
  return {
    userId: given.user_id ?? null,
    serviceId: given.service_id ?? null,
    orgId: given.org_id ?? null,
    role: given.role ?? null,
    ticketRef: given.ticket_ref ?? null,
    claims: (given.claims ?? {}) as JsonObject,
  }
}

function factsOf({ session = {}, approved = [], env = {} }: TriedCall): Facts {
  return {
    // An attempt is counted before it is decided on, and this call is one.
    counters: {
      attempts: (session.attempts ?? 0) + 1,
      executions: session.executions ?? 0,
      perTool: session.per_tool ?? {},
    },
    approved: new Set(approved),
    env,
  }
}

function spokenBy({ name, source, action, message, isObserved }: Fired): NonNullable<Evaluation['decided_by']> {
  return { rule: name, source, action, message, is_observed: isObserved }
}

function ruleOnWire(rule: RuleExplanation): EvaluatedRule {
  const outcome = rule.notConsidered ? 'not_considered' : rule.outcome === 'fires' ? 'fired' : 'did_not_fire'
  return {
    id: rule.id,
    type: rule.type,
    action: rule.action,
    mode: rule.mode,
    outcome,
    not_considered_because: rule.notConsidered ?? null,
    would_fire: rule.outcome === 'fires',
    is_deciding: rule.effect === 'decided',
    is_observed: rule.effect === 'observed',
    why: rule.words,
    message: rule.message ?? null,
    tags: [...rule.tags],
    policy_error: rule.isPolicyError,
    line: rule.line,
    end_line: rule.endLine,
    condition: [
      ...(rule.condition ? linesOf(rule.condition, 0) : []),
      ...(rule.sandbox ?? []).map(({ is, subject, outcome: found, words }) => ({
        ...emptyLine,
        is,
        value: subject,
        held: found === 'unknown' ? null : found === 'outside',
        words,
      })),
      ...(rule.limits ?? []).map(limitLine),
    ],
  }
}

const emptyLine = {
  depth: 0,
  selector: null,
  operator: null,
  operand: null,
  value: null,
  is_missing: false,
  held: null,
  problem: null,
  words: '',
  line: null,
}

function linesOf(condition: Condition, depth: number): ConditionLine[] {
  const held = condition.isSkipped ? null : heldOf(condition)
  const common = { ...emptyLine, depth, is: condition.is, held, line: condition.line }
  if (condition.is === 'not') {
    return [{ ...common, words: 'none of this' }, ...linesOf(condition.of, depth + 1)]
  }
  if (condition.is !== 'test') {
    const words = condition.is === 'all' ? 'all of these' : 'at least one of these'
    return [{ ...common, words }, ...condition.of.flatMap((one) => linesOf(one, depth + 1))]
  }
  const { actual } = condition
  return [
    {
      ...common,
      selector: condition.selector,
      operator: condition.operator,
      operand: condition.operand,
      value: actual.is === 'value' ? actual.value : null,
      is_missing: actual.is === 'missing',
      problem: actual.is === 'failure' ? actual.message : condition.outcome === 'error' ? condition.words : null,
      words: condition.words,
    },
  ]
}

function heldOf({ outcome }: Condition): boolean | null {
  return outcome === 'held' ? true : outcome === 'not_held' ? false : null
}

function limitLine({ limit, tool, max, count, isReached }: LimitFinding): ConditionLine {
  const what = tool === undefined ? limit : `${limit} of ${tool}`
  return {
    ...emptyLine,
    is: 'limit',
    selector: what,
    operand: max,
    value: count,
    held: isReached,
    words: `${what} is ${max}, and ${count} ${count === 1 ? 'was' : 'were'} counted`,
  }
}

/** Output is shown as arguments are: without secrets. */
function shown(value: JsonValue): JsonValue {
  return redactArguments({ value })['value'] ?? null
}
