import { queryOptions, useQuery, useSuspenseQuery } from '@tanstack/react-query'
import { api } from './client.ts'
import { ApiProblem } from './problem.ts'
import type { Permission, Session, SessionEnvironment } from './types.ts'

export const sessionKey = ['session'] as const

/** Who is signed in; null when nobody is. */
export const sessionQuery = queryOptions({
  queryKey: sessionKey,
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      return await api.get<Session>('/session', { signal })
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) return null
      throw error
    }
  },
  staleTime: 60_000,
})

/** For pages behind the sign-in, where the router has made sure that there is a session. */
export function useSession(): Session {
  const { data } = useSuspenseQuery(sessionQuery)
  // Between the end of a session and the walk to the sign-in page, pages still draw what they had.
  if (data) last = data
  if (!last) throw new Error('This page needs a session')
  return last
}

let last: Session | null = null

export function useCan(permission: Permission): boolean {
  return useSession().permissions.includes(permission)
}

/** Whether something may be done in an environment: a role may hold there alone, or not where it is protected. */
export function useCanIn(permission: Permission, environment: string): boolean {
  return useSession().permitted_in[environment]?.includes(permission) ?? false
}

/** Where something may be done: what forms offer, so that nobody fills one in to be refused. */
export function useEnvironmentsFor(permission: Permission): readonly SessionEnvironment[] {
  const { environments, permitted_in: permittedIn } = useSession()
  return environments.filter(({ name }) => permittedIn[name]?.includes(permission))
}

export function useEnvironments(): readonly SessionEnvironment[] {
  return useSession().environments
}

/** What stands between a session and the pages: the second step of its sign-in, or a factor that must be added first. */
export function stepLeft({ factors }: Session): 'prove' | 'enroll' | null {
  if (factors.is_enrolled) return factors.is_verified ? null : 'prove'
  return factors.is_required ? 'enroll' : null
}

/** For pages that are also shown to strangers. */
export function useMaybeSession(): Session | null {
  return useQuery(sessionQuery).data ?? null
}
