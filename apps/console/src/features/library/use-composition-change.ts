import type { Composition } from '@countersign/wire'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { ApiProblem, wordsFor } from '../../api/problem.ts'
import { tellFailure } from '../../ui/tell.tsx'
import { compositionPath, compositionQuery } from './queries.ts'

export type CompositionItem = Composition['items'][number]

type Change = {
  readonly items?: readonly CompositionItem[]
  readonly default_mode?: Composition['default_mode']
}

/** Every change is kept at once: a composition runs nowhere before a revision of it is rolled out. */
export function useCompositionChange(name: string) {
  const client = useQueryClient()
  const { queryKey } = compositionQuery(name)
  return useMutation({
    // One after another, so that each is made to what the one before left.
    scope: { id: `composition ${name}` },
    mutationFn: ({ items, default_mode }: Change) =>
      api.put<Composition>(compositionPath(name), {
        expected_edit: client.getQueryData(queryKey)?.edit ?? 0,
        ...(default_mode && { default_mode }),
        ...(items && {
          items: items.map(({ rule_id, version, mode, is_enabled }) => ({ rule_id, version, mode, is_enabled })),
        }),
      }),
    onMutate: async (change) => {
      await client.cancelQueries({ queryKey })
      client.setQueryData(queryKey, (before) => before && { ...before, ...withoutReadonly(change) })
    },
    onSuccess: (saved) => {
      client.setQueryData(queryKey, saved)
      void client.invalidateQueries({ queryKey: ['compositions', 'list'] })
      void client.invalidateQueries({ queryKey: ['library'] })
    },
    onError: (error) => {
      tellFailure(
        'The change was not kept',
        error instanceof ApiProblem && error.status === 409
          ? 'Somebody else changed it meanwhile; what they left is shown now.'
          : wordsFor(error),
      )
      void client.invalidateQueries({ queryKey })
    },
  })
}

function withoutReadonly({ items, default_mode }: Change): Partial<Composition> {
  return { ...(items && { items: [...items] }), ...(default_mode && { default_mode }) }
}
