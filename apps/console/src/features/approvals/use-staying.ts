import { useQueries } from '@tanstack/react-query'
import { useState } from 'react'
import type { ListedApproval } from '../../api/types.ts'
import { merged } from './merged.ts'
import { approvalQuery } from './queries.ts'

/** So many decided calls stay in the list of pending ones; more would be a list of its own. */
const stayingMax = 30

/**
 * The list, with calls that left it while it was open kept where they stood: what was just decided, here or by somebody
 * else, must not vanish from under the cursor. Another filter begins anew.
 */
export function useStaying(items: readonly ListedApproval[], listKey: string): readonly ListedApproval[] {
  const [kept, setKept] = useState<{ readonly key: string; readonly items: readonly ListedApproval[] }>({
    key: listKey,
    items: [],
  })
  const before = kept.key === listKey ? kept.items : []
  const { list, gone } = merged(before, items, stayingMax)
  if (kept.key !== listKey || list.length !== before.length || list.some((item, at) => item !== before[at])) {
    setKept({ key: listKey, items: list })
  }
  const fates = useQueries({ queries: gone.map((id) => ({ ...approvalQuery(id), staleTime: 5000 })) })
  const listed = fates.flatMap(({ data }) => (data ? [{ ...data, you_may: data.deciders?.you_may ?? null }] : []))
  const byId = new Map(listed.map((item) => [item.id, item]))
  return list.map((item) => byId.get(item.id) ?? item)
}
