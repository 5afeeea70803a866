import type { Case } from './cases.ts'
import { correctedTwins } from './known-defects.ts'
import { runRejectionCase } from './rejection-case.ts'
import { runRulesetCase } from './ruleset-case.ts'
import { runWorkflowCase } from './workflow-case.ts'

/** What is wrong with the case; empty when it holds. */
export function runCase(one: Case): readonly string[] {
  try {
    switch (one.kind) {
      case 'ruleset':
        return [...runRulesetCase(one), ...runTwins(one)]
      case 'rejection':
        return runRejectionCase(one)
      case 'workflow':
      case 'adapter':
        return runWorkflowCase(one)
    }
  } catch (cause) {
    return [cause instanceof Error ? cause.message : String(cause)]
  }
}

function runTwins(one: Case): readonly string[] {
  return correctedTwins
    .filter((twin) => twin.of === one.id)
    .flatMap(({ id, replace }) => {
      const text = JSON.stringify(one.data['contract']).replaceAll(replace.from, replace.to)
      const data = { ...one.data, contract: JSON.parse(text) as unknown }
      return runRulesetCase({ ...one, id, data }).map((difference) => `${id}: ${difference}`)
    })
}
