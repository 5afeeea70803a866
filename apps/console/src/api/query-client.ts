import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import { ApiProblem } from './problem.ts'
import { sessionKey } from './session.ts'

const confined: ReadonlySet<string> = new Set(['mfa_required', 'mfa_enrollment_required'])

/** A session that ended elsewhere shows in any answer; the frame then leads to the sign-in page. */
function noticeEnd(error: unknown): void {
  if (error instanceof ApiProblem && error.status === 401 && queryClient.getQueryData(sessionKey)) {
    queryClient.setQueryData(sessionKey, null)
  }
  // A factor was added or demanded since this page was opened: the session says what is to be done now.
  if (error instanceof ApiProblem && confined.has(error.code))
    void queryClient.invalidateQueries({ queryKey: sessionKey })
}

export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noticeEnd }),
  mutationCache: new MutationCache({ onError: noticeEnd }),
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // Asking again helps when nobody answered, never when somebody refused.
      retry: (failures, error) =>
        failures < 2 && (!(error instanceof ApiProblem) || error.status === 0 || error.status >= 502),
      refetchOnWindowFocus: false,
    },
  },
})
