import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useCan, useSession } from '../../api/session.ts'
import type { Names } from '../../ui/subjects.ts'
import { keysQuery } from '../keys/queries.ts'
import { nameOf } from '../keys/words.ts'

/** Names of what a reader may know: oneself, and keys where one may read them. */
export function useNames(): Names {
  const { person } = useSession()
  const keys = useQuery({ ...keysQuery(undefined, true), enabled: useCan('keys:read') })
  return useMemo(() => {
    const known = (keys.data?.items ?? []).map((key) => [key.id, nameOf(key)] as const)
    return new Map([...known, [person.id, person.email]])
  }, [keys.data, person])
}
