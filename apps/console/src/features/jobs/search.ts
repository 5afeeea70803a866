import type { JobKind, JobStatus } from '@countersign/wire'

export const tabs = ['ordered', 'recurring'] as const
export type Tab = (typeof tabs)[number]

export const statuses = ['queued', 'running', 'waiting', 'failed', 'cancelled', 'done'] as const
export const kinds = ['replay', 'trial'] as const

export type JobsSearch = {
  readonly tab?: Tab
  readonly state?: JobStatus
  readonly kind?: JobKind
  /** The job whose drawer is open. */
  readonly job?: string
}

export function readSearch(search: Record<string, unknown>): JobsSearch {
  const { job } = search
  const tab = search['tab'] === 'recurring' ? 'recurring' : undefined
  const state = statuses.find((one) => one === search['state'])
  const kind = kinds.find((one) => one === search['kind'])
  return {
    ...(tab && { tab }),
    ...(state && { state }),
    ...(kind && { kind }),
    ...(typeof job === 'string' && job !== '' && { job }),
  }
}
