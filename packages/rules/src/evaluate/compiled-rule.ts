import type { PostRule, PreRule, SandboxRule } from '../model.ts'
import type { ExpressionTest } from './expression-test.ts'
import type { Message } from './message.ts'
import type { Replacement } from './replacement.ts'
import type { SandboxTest } from './sandbox.ts'

/** What every rule that is asked about a call has ready. */
export interface CompiledCommon {
  /** Patterns of the tools it is for. */
  readonly tools: readonly string[]
  readonly isObserved: boolean
  readonly message: Message
}

export interface CompiledPre extends CompiledCommon {
  readonly rule: PreRule
  readonly test: ExpressionTest
}
export interface CompiledSandbox extends CompiledCommon {
  readonly rule: SandboxRule
  readonly test: SandboxTest
}
export interface CompiledPost extends CompiledCommon {
  readonly rule: PostRule
  readonly test: ExpressionTest
  readonly replacement: Replacement
}
