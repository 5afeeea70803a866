import { environmentName, identifier, nullable } from './list.ts'
import { rulesetDiagnostic, rulesetVersion, yamlCharactersMax } from './rulesets.ts'
import { type Static, Type } from './type.ts'

const count = Type.Integer({ minimum: 0, maximum: 1_000_000_000 })
const who = Type.Optional(nullable(Type.String({ maxLength: 1_000 })))

/** A call to try, as an agent would make it. Nothing is carried out and nothing is counted. */
export const triedCall = Type.Object(
  {
    tool: Type.String({ minLength: 1, maxLength: 255 }),
    args: Type.Record(Type.String(), Type.Unknown()),
    environment: Type.Optional(environmentName),
    principal: Type.Optional(
      nullable(
        Type.Object(
          {
            user_id: who,
            service_id: who,
            org_id: who,
            role: who,
            ticket_ref: who,
            claims: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
          },
          { additionalProperties: false },
        ),
      ),
    ),
    metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    /** What the tool answered: given, post rules are evaluated too. */
    output: Type.Optional(Type.Unknown()),
    /** What happened in the session before; this call is counted as an attempt on top. Nothing unless told. */
    session: Type.Optional(
      Type.Object(
        {
          attempts: Type.Optional(count),
          executions: Type.Optional(count),
          per_tool: Type.Optional(Type.Record(Type.String({ maxLength: 255 }), count)),
        },
        { additionalProperties: false },
      ),
    ),
    /** Ids of rules that a human has approved for this call. */
    approved: Type.Optional(Type.Array(Type.String({ maxLength: 255 }), { maxItems: 100 })),
    /** Values of `env.NAME`; the server's own environment is never read. */
    env: Type.Optional(Type.Record(Type.String({ maxLength: 255 }), Type.String({ maxLength: 10_000 }))),
  },
  { additionalProperties: false },
)
export type TriedCall = Static<typeof triedCall>

/** Either a text or a revision that is stored. */
export const evaluationBody = Type.Object(
  {
    yaml: Type.Optional(Type.String({ maxLength: yamlCharactersMax })),
    ruleset: Type.Optional(identifier),
    version: Type.Optional(rulesetVersion),
    call: triedCall,
  },
  { additionalProperties: false },
)

/**
 * One line of a rule's condition, in reading order; `depth` says how far to indent it. `held` is null where nobody looked:
 * an earlier part had settled the answer. `value` is what the selector found, redacted.
 */
export const conditionLine = Type.Object({
  depth: Type.Integer({ minimum: 0 }),
  is: Type.String({ description: 'all, any, not, test, or the part of a sandbox or session rule' }),
  selector: nullable(Type.String()),
  operator: nullable(Type.String()),
  operand: Type.Unknown(),
  value: Type.Unknown(),
  is_missing: Type.Boolean({ description: 'The selector found nothing' }),
  held: nullable(Type.Boolean()),
  problem: nullable(Type.String({ description: 'Why it could not be evaluated; such a rule fires' })),
  words: Type.String(),
  line: nullable(Type.Integer()),
})
export type ConditionLine = Static<typeof conditionLine>

export const evaluatedRule = Type.Object({
  id: Type.String(),
  type: Type.Union([Type.Literal('pre'), Type.Literal('post'), Type.Literal('session'), Type.Literal('sandbox')]),
  action: Type.String(),
  mode: Type.Union([Type.Literal('enforce'), Type.Literal('observe')]),
  /** `not_considered`: for another tool, disabled, a post rule without output, or settled before its turn. */
  outcome: Type.Union([Type.Literal('fired'), Type.Literal('did_not_fire'), Type.Literal('not_considered')]),
  not_considered_because: nullable(
    Type.Union([
      Type.Literal('disabled'),
      Type.Literal('other_tool'),
      Type.Literal('already_stopped'),
      Type.Literal('no_output'),
    ]),
  ),
  would_fire: Type.Boolean({ description: 'Its condition holds, also when an earlier stop kept it from being asked' }),
  is_deciding: Type.Boolean(),
  is_observed: Type.Boolean({ description: 'It fired and was only noted' }),
  why: Type.String({ description: 'One sentence' }),
  message: nullable(Type.String({ description: 'What the agent is told; set when it fired' })),
  tags: Type.Array(Type.String()),
  policy_error: Type.Boolean(),
  line: Type.Integer(),
  end_line: Type.Integer(),
  condition: Type.Array(conditionLine),
})
export type EvaluatedRule = Static<typeof evaluatedRule>

/** `is_valid` false: the document was refused, `diagnostics` say where and why, and the rest is empty. */
export const evaluation = Type.Object({
  is_valid: Type.Boolean(),
  diagnostics: Type.Array(rulesetDiagnostic),
  verdict: nullable(Type.Union([Type.Literal('allow'), Type.Literal('block'), Type.Literal('hold')])),
  /** The rule, limit or stage that spoke last; null when nothing objected. */
  decided_by: nullable(
    Type.Object({
      rule: Type.String(),
      source: Type.String(),
      action: Type.String(),
      message: Type.String(),
      is_observed: Type.Boolean(),
    }),
  ),
  hold: nullable(Type.Object({ timeout_seconds: Type.Number(), timeout_action: Type.String() })),
  side_effect: nullable(
    Type.String({ description: 'pure, read, write or irreversible: as registered, or as a shell command reads' }),
  ),
  rules: Type.Array(evaluatedRule, { description: 'Every rule of the document, in its order' }),
  words: Type.Array(Type.String(), { description: 'The decision in sentences' }),
  /** Set when output was given. */
  post: nullable(
    Type.Object({
      passed: Type.Boolean(),
      is_suppressed: Type.Boolean(),
      is_replaced: Type.Boolean(),
      warnings: Type.Array(Type.String()),
      result: Type.Unknown({ description: 'What the agent would see' }),
    }),
  ),
  revision_hash: nullable(Type.String({ description: 'SHA-256 of the text that was evaluated' })),
  evaluation_ms: Type.Number(),
})
export type Evaluation = Static<typeof evaluation>
