import { type Call, type Facts, noCounters } from '../evaluate/call.ts'
import type { Compiled } from '../evaluate/compile.ts'
import { decidePre } from '../evaluate/decide.ts'
import { decidePost } from '../evaluate/decide-post.ts'
import type { Output, Situation } from '../evaluate/selector-value.ts'
import { explainRule, limitFindings } from './explain-rule.ts'
import type { Explanation, RuleExplanation } from './explanation.ts'
import { type JudgedRule, judgeRules } from './judge-rules.ts'
import { bits } from './possible.ts'
import { explanationInWords } from './summary.ts'
import type { Unknowns } from './unknowns.ts'
import { type Walk, walkPipeline } from './walk-pipeline.ts'

export interface ExplainOptions {
  /** What the tool gave back; post rules are explained only with it. */
  readonly output?: Output
  /** Which parts of the call are not what they were. Whatever then depends on them is said to be open. */
  readonly unknowns?: Unknowns
}

/**
 * Why a call gets the verdict it gets: every rule with what became of it, each condition with the values it saw. Slower
 * than deciding, since it looks at every rule whose tool fits. Values are shown without secrets and cut.
 */
export function explain(
  compiled: Compiled,
  call: Call,
  facts: Facts = {},
  { output, unknowns }: ExplainOptions = {},
): Explanation {
  const situation: Situation = {
    call,
    facts: askedOnce(facts),
    customSelectors: compiled.customSelectors,
    ...(output ? { output } : {}),
  }
  const own = judgeRules(compiled, situation, unknowns ?? {})
  const walk = walkPipeline(compiled, situation, {
    pre: (rule) => own.get(rule)?.possible ?? bits.no,
    sandbox: (rule) => own.get(rule)?.possible ?? bits.no,
  })
  const place = { compiled, situation, walk, isCandidate: false }
  const rules = [...own.values()].map((one) => explainRule(one, place))
  const [first] = walk.possible
  const isDecided = walk.possible.every(({ verdict }) => verdict === first?.verdict)
  const explained = {
    isDecided,
    ...(isDecided && first ? { verdict: first.verdict } : {}),
    possible: walk.possible,
    ...(unknowns ? {} : { decision: decidePre(compiled, call, situation.facts) }),
    ...(output && !unknowns ? { post: decidePost(compiled, call, output, situation.facts) } : {}),
    ...(walk.builtIn ? { builtIn: walk.builtIn } : {}),
    rules: [...rules, ...candidateRules(compiled, situation, walk, unknowns ?? {})],
    limits: limitFindings(compiled.session.merged, call, facts.counters ?? noCounters),
  }
  return { ...explained, words: explanationInWords(explained, call) }
}

/** A workflow is asked at most once: answering may cost something. */
function askedOnce(facts: Facts): Facts {
  const { workflow } = facts
  if (!workflow) return facts
  let answer: { readonly of: ReturnType<typeof workflow> } | undefined
  return { ...facts, workflow: () => (answer ??= { of: workflow() }).of }
}

/** Candidates are only run for calls that nothing stopped. */
function candidateRules(
  { candidates }: Compiled,
  situation: Situation,
  walk: Walk,
  unknowns: Unknowns,
): readonly RuleExplanation[] {
  if (!candidates) return []
  const judged = judgeRules(candidates, situation, unknowns)
  const place = { compiled: candidates, situation, walk, isCandidate: true }
  return [...judged.values()].map((one: JudgedRule) => explainRule(one, place))
}
