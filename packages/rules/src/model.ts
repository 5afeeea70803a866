/** The vocabulary a document is written in. The model below always speaks Ruleset words. */
export type Dialect = 'Ruleset' | 'ContractBundle'
export type Mode = 'enforce' | 'observe'

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/** Where something stands in the source, for outlines and links. Lines count from 1, `endLine` is included. */
export interface Lines {
  readonly line: number
  readonly endLine: number
}

export const sideEffects = ['pure', 'read', 'write', 'irreversible'] as const
export type SideEffect = (typeof sideEffects)[number]

export interface Tool extends Lines {
  readonly name: string
  readonly sideEffect: SideEffect
  readonly idempotent: boolean
}

export interface Observability {
  readonly otel?: {
    readonly enabled?: boolean
    readonly endpoint?: string
    readonly protocol?: 'grpc' | 'http'
    readonly serviceName?: string
    readonly insecure?: boolean
    readonly resourceAttributes?: readonly {
      readonly name: string
      readonly value: string
    }[]
  }
  readonly stdout?: boolean
  readonly file?: string | null
}

export const operators = [
  'exists',
  'equals',
  'not_equals',
  'in',
  'not_in',
  'contains',
  'contains_any',
  'starts_with',
  'ends_with',
  'matches',
  'matches_any',
  'gt',
  'gte',
  'lt',
  'lte',
] as const
export type Operator = (typeof operators)[number]

export type Expression =
  | {
      readonly is: 'all' | 'any'
      readonly of: readonly Expression[]
      readonly line: number
    }
  | { readonly is: 'not'; readonly of: Expression; readonly line: number }
  | {
      readonly is: 'test'
      readonly selector: string
      /** Built in, or the name of a custom operator the caller announced. */
      readonly operator: string
      readonly operand: JsonValue
      readonly line: number
    }

export type Action = 'block' | 'ask' | 'warn' | 'redact'
export type TimeoutAction = 'block' | 'allow'

interface Common extends Lines {
  readonly id: string
  readonly enabled: boolean
  /** Only what the rule itself says; `ruleMode` adds the default. */
  readonly mode?: Mode
}

export interface Then<Allowed extends Action> {
  readonly action: Allowed
  readonly message: string
  readonly tags: readonly string[]
  readonly metadata: Readonly<Record<string, JsonValue>>
}

/** How long a held call waits for a human, and what happens then. */
export interface Wait {
  readonly timeoutSeconds: number
  readonly timeoutAction: TimeoutAction
}

export interface PreRule extends Common {
  readonly type: 'pre'
  readonly tool: string
  readonly when: Expression
  readonly then: Then<'block' | 'ask'> & Wait
}

export interface PostRule extends Common {
  readonly type: 'post'
  readonly tool: string
  readonly when: Expression
  readonly then: Then<'warn' | 'redact' | 'block'>
}

export interface SessionLimits {
  readonly maxToolCalls?: number
  readonly maxAttempts?: number
  readonly maxCallsPerTool: readonly {
    readonly tool: string
    readonly max: number
  }[]
}

export interface SessionRule extends Common {
  readonly type: 'session'
  readonly limits: SessionLimits
  readonly then: Then<'block'>
}

export interface SandboxRule extends Common, Wait {
  readonly type: 'sandbox'
  readonly tools: readonly string[]
  readonly within?: readonly string[]
  readonly notWithin: readonly string[]
  readonly allowedCommands?: readonly string[]
  readonly allowedDomains?: readonly string[]
  readonly blockedDomains: readonly string[]
  readonly outside: 'block' | 'ask'
  readonly message: string
}

export type Rule = PreRule | PostRule | SessionRule | SandboxRule

/** One validated document, the same whichever dialect it was written in (`dialect` apart). */
export interface Ruleset {
  readonly dialect: Dialect
  readonly name: string
  readonly description?: string
  readonly defaultMode: Mode
  /** Name of a parent that is not yet merged in; see `resolveExtends`. */
  readonly extends?: string
  readonly tools: readonly Tool[]
  readonly observability?: Observability
  readonly observeAlongside: boolean
  /** Document order, disabled ones included. */
  readonly rules: readonly Rule[]
}

export function ruleMode(rule: Rule, ruleset: Pick<Ruleset, 'defaultMode'>): Mode {
  return rule.mode ?? ruleset.defaultMode
}
