import type { Json, PrincipalRef } from './shared.ts'

export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'timed_out' | 'cancelled'

export type Approval = {
  readonly id: string
  readonly status: ApprovalStatus
  readonly agent: PrincipalRef
  readonly environment: string
  readonly tool: string
  readonly message: string
  readonly arguments: Json
  readonly created_at: string
  readonly deadline: string
  readonly on_timeout: 'deny' | 'allow'
}
