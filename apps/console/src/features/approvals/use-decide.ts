import { useMutation, useQueryClient } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { ApiProblem } from '../../api/problem.ts'
import { stepUp, stepUpCode } from '../../api/step-up.ts'
import type { DecisionsResult } from '../../api/types.ts'
import { counted } from '../../ui/numbers.ts'
import { tell, tellFailure } from '../../ui/tell.tsx'

export type Decision = {
  readonly id: string
  readonly approve: boolean
  readonly reason?: string
  readonly countersignature?: {
    readonly challenge_id: string
    readonly credential: Readonly<Record<string, unknown>>
  }
}

/** Decides one call. Whoever was faster is shown by fetching again, not by an error alone. */
export function useDecide() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ id, ...body }: Decision) => api.post(`/approvals/${encodeURIComponent(id)}/decision`, body),
    onSettled: (_answer, error) => {
      void client.invalidateQueries({ queryKey: ['overview'] })
      const isKnown = !error || (error instanceof ApiProblem && error.status < 500)
      return isKnown ? client.invalidateQueries({ queryKey: ['approvals'] }) : undefined
    },
  })
}

/** Those that want a fresh proof ask for it once, all together, and are sent once more; the others stand as decided. */
async function decideMany(decisions: readonly Decision[]): Promise<DecisionsResult> {
  const send = (some: readonly Decision[]) => api.post<DecisionsResult>('/approvals/decisions', { decisions: some })
  const first = await send(decisions)
  const waiting = new Set(first.results.filter(({ problem }) => problem?.code === stepUpCode).map(({ id }) => id))
  if (waiting.size === 0 || !(await stepUp())) return first
  const { results } = await send(decisions.filter(({ id }) => waiting.has(id)))
  const again = new Map(results.map((result) => [result.id, result]))
  return { results: first.results.map((result) => again.get(result.id) ?? result) }
}

export function useDecideMany() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: decideMany,
    onSuccess: ({ results }, decisions) => {
      const refused = results.filter(({ is_ok }) => !is_ok)
      const done = results.length - refused.length
      if (done > 0) tell(`${counted(done, 'call')} ${decisions[0]?.approve ? 'approved' : 'denied'}`)
      if (refused.length > 0) {
        tellFailure(`${counted(refused.length, 'call')} could not be decided`, refused[0]?.problem?.detail ?? '')
      }
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['approvals'] }),
  })
}
