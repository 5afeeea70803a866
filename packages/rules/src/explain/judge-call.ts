import type { Call, Facts } from '../evaluate/call.ts'
import type { Compiled } from '../evaluate/compile.ts'
import type { Verdict } from '../evaluate/decision.ts'
import { type SandboxChecks, sandboxChecks } from '../evaluate/sandbox.ts'
import type { Situation } from '../evaluate/selector-value.ts'
import type { SandboxRule } from '../model.ts'
import { knownMaterials, sandboxOutcomes } from './judge-sandbox.ts'
import { bits, type Possible, possibleOutcomes } from './possible.ts'
import type { Unknowns } from './unknowns.ts'
import { type PossibleVerdict, walkPipeline } from './walk-pipeline.ts'

/** What a call comes to when parts of it are not known. */
export interface PossibleDecision {
  /** Every value the unknown ones may have had gives the same verdict. */
  readonly isDecided: boolean
  /** The verdict, when it is decided. */
  readonly verdict?: Verdict
  /** Never empty. Several may share a verdict: then that is certain, but not which rule would speak. */
  readonly possible: readonly PossibleVerdict[]
  /** Enforced rules that the call would reach and whose answer depends on what is not known. */
  readonly undecidedRules: readonly string[]
}

/**
 * As `decidePre`, for a call of which some values are hidden or cut. What it calls decided holds whatever those values
 * were. That is derived, not tried out, so a call may be said to be open although no value would change its verdict.
 */
export function judgeCall(compiled: Compiled, call: Call, facts: Facts, unknowns: Unknowns): PossibleDecision {
  const { customSelectors, customOperators, host } = compiled
  const situation: Situation = { call, facts, customSelectors }
  let materials: ReturnType<typeof knownMaterials> | undefined
  const { possible, undecidedRules } = walkPipeline(compiled, situation, {
    pre: ({ when }) => possibleOutcomes(when, situation, unknowns, customOperators),
    sandbox: (rule) => {
      const checks = checksFor(rule, compiled)
      return orFires(() => sandboxOutcomes(checks, (materials ??= knownMaterials(situation, host, unknowns))))
    },
  })
  const [first] = possible
  const isDecided = first !== undefined && possible.every(({ verdict }) => verdict === first.verdict)
  return { isDecided, ...(isDecided ? { verdict: first.verdict } : {}), possible, undecidedRules }
}

/** A path resolver of the host that throws makes the rule fire. */
function orFires(judge: () => Possible): Possible {
  try {
    return judge()
  } catch {
    return bits.error
  }
}

const remembered = new WeakMap<Compiled, Map<SandboxRule, SandboxChecks>>()

export function checksFor(rule: SandboxRule, compiled: Compiled): SandboxChecks {
  const known = remembered.get(compiled) ?? new Map<SandboxRule, SandboxChecks>()
  remembered.set(compiled, known)
  const checks = known.get(rule) ?? sandboxChecks(rule, compiled.host)
  known.set(rule, checks)
  return checks
}
