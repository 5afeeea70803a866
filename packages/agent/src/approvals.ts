import type { JsonObject } from '@countersign/rules'

/** What a human is asked. */
export type Question = {
  readonly tool: string
  readonly args: JsonObject
  readonly message: string
  readonly rule: string
  readonly source: string
  readonly sessionId: string
  readonly timeoutSeconds: number
  readonly onTimeout: 'block' | 'allow'
}

export type Answer =
  | {
      readonly is: 'approved'
      readonly approvalId?: string
      readonly by?: string | undefined
      readonly reason?: string | undefined
    }
  | {
      readonly is: 'denied'
      readonly approvalId?: string
      readonly by?: string | undefined
      readonly reason?: string | undefined
    }
  /** Nobody answered before the deadline, and whoever keeps the deadline says so. */
  | { readonly is: 'timed_out'; readonly approvalId?: string }

/** Asks a human and waits. Throws when the question cannot be put or no answer can be had: then the call is blocked. */
export type Ask = (question: Question, signal: AbortSignal | undefined) => Promise<Answer>
