import { type EvaluatedRule, environmentName, Type, yamlCharactersMax } from '@countersign/wire'
import { type Route, route } from '../../features/roles/index.ts'
import type { EvaluateCall } from '../../features/rulesets/index.ts'
import { Problem, problems } from '../../kernel/problem.ts'

type Needs = { readonly evaluate: EvaluateCall }

const body = Type.Object({
  yaml_content: Type.String({ maxLength: yamlCharactersMax }),
  tool_name: Type.String({ minLength: 1, maxLength: 255 }),
  tool_args: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  environment: Type.Optional(environmentName),
  agent_id: Type.Optional(Type.String()),
  principal: Type.Optional(
    Type.Union([
      Type.Null(),
      Type.Object({
        user_id: Type.Optional(Type.Union([Type.String(), Type.Null()])),
        role: Type.Optional(Type.Union([Type.String(), Type.Null()])),
        claims: Type.Optional(Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()])),
      }),
    ]),
  ),
})

/** A document of 1 MiB with every character escaped. */
const bodyBytesMax = 5 * 1_048_576

/** The playground of the older console: every pre and sandbox rule is asked, session rules are not (console §11). */
export function evaluationRoutes({ evaluate }: Needs): readonly Route[] {
  return [
    route({
      does: 'Try a call on a ruleset',
      method: 'POST',
      path: '/rulesets/evaluate',
      needs: 'rulesets:read',
      bodyBytesMax,
      body,
      handle: async ({ who, body: { yaml_content: yaml, tool_name: tool, tool_args: args = {}, ...given } }) => {
        const { claims, ...principal } = given.principal ?? {}
        const { answer, defaultMode } = await evaluate(
          who.tenant,
          { yaml },
          {
            tool,
            args,
            environment: given.environment ?? 'production',
            principal: { ...principal, ...(claims ? { claims } : {}) },
          },
        )
        if (!answer.is_valid) throw refusal(answer.diagnostics)
        const asked = answer.rules.filter(isAsked)
        const stopping = asked.filter(({ would_fire: fires, mode }) => fires && mode === 'enforce')
        return {
          verdict: stopping.length > 0 ? 'deny' : 'allow',
          mode: defaultMode,
          contracts_evaluated: asked.map(contractOf),
          deciding_contract: stopping[0]?.id ?? null,
          policy_version: answer.revision_hash?.slice(0, 12) ?? null,
          evaluation_time_ms: answer.evaluation_ms,
        }
      },
    }),
  ]
}

/** Enabled rules whose tool fits, whether or not an earlier one had stopped the call. */
function isAsked({ type, not_considered_because: because }: EvaluatedRule): boolean {
  return (type === 'pre' || type === 'sandbox') && (because === null || because === 'already_stopped')
}

/** `matched` says that the rule let the call pass: older clients rely on the inverted word. */
function contractOf(rule: EvaluatedRule) {
  return {
    id: rule.id,
    type: rule.type === 'pre' ? 'precondition' : 'sandbox',
    matched: !rule.would_fire,
    effect: 'warn',
    message: rule.message,
    observed: rule.mode === 'observe',
    tags: rule.tags,
  }
}

function refusal(
  diagnostics: readonly { readonly severity: string; readonly line: number; readonly message: string }[],
) {
  const first = diagnostics.find(({ severity }) => severity === 'error')
  return new Problem(
    problems.invalidInput,
    first ? `Line ${first.line}: ${first.message}` : 'The document was not accepted.',
  )
}
