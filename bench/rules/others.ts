import cedar from '@cedar-policy/cedar-wasm/nodejs'
import { compileExpression } from '../../packages/rules/src/evaluate/expression-test.ts'
import { compileGlob } from '../../packages/rules/src/evaluate/glob.ts'
import { compileSandbox, materialsOf } from '../../packages/rules/src/evaluate/sandbox.ts'
import type { Call, Ruleset } from '../../packages/rules/src/index.ts'

export type Decide = (call: Call) => void

/** Every rule asked in turn, its condition compiled once: what an engine without an index does. */
export function plainLoop(ruleset: Ruleset): Decide {
  const host = { workingDirectory: '/' }
  const rules = ruleset.rules.flatMap((rule) => {
    if (rule.type === 'pre') return [{ tools: [compileGlob(rule.tool)], test: compileExpression(rule.when, {}) }]
    if (rule.type !== 'sandbox') return []
    const breaks = compileSandbox(rule, host)
    return [
      {
        tools: rule.tools.map(compileGlob),
        test: ({ call }: { readonly call: Call }) => (breaks(materialsOf(call, host)) ? 'yes' : 'no'),
      },
    ]
  })
  return (call) => {
    const situation = { call, facts: {}, customSelectors: {} }
    for (const { tools, test } of rules) {
      if (tools.some((matches) => matches(call.tool)) && test(situation) !== 'no')
        throw new Error('the workload must be allowed')
    }
  }
}

/** Cedar with its policies parsed beforehand. What it is given is made ready beforehand too. */
export function cedarLoop(policies: string, calls: readonly Call[]): Decide {
  const parsed = cedar.preparsePolicySet('bench', { staticPolicies: policies })
  if (parsed.type !== 'success') throw new Error(JSON.stringify(parsed))
  const requests = new Map(
    calls.map((call) => {
      const { command, host, cwd } = call.args
      const context = { command, host, cwd, environment: 'production', role: call.principal?.role ?? '' }
      const given = Object.fromEntries(Object.entries(context).filter((entry) => typeof entry[1] === 'string'))
      const request = {
        principal: { type: 'User', id: 'u1' },
        action: { type: 'Action', id: call.tool },
        resource: { type: 'Tool', id: call.tool },
        context: given as Record<string, string>,
        preparsedPolicySetId: 'bench',
        entities: [],
      }
      return [call, request] as const
    }),
  )
  return (call) => {
    const request = requests.get(call)
    const answer = request && cedar.statefulIsAuthorized(request)
    if (answer?.type !== 'success' || answer.response.decision !== 'allow') throw new Error(JSON.stringify(answer))
  }
}
