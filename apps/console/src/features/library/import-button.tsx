import type { RulesetImport } from '@countersign/wire'
import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useRef } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { counted } from '../../ui/numbers.ts'
import { tell, tellFailure } from '../../ui/tell.tsx'

const bytesMax = 1_048_576

/** Takes a text apart into rules and a composition that puts them together again. */
export function useImport() {
  const client = useQueryClient()
  const navigate = useNavigate()
  return useMutation({
    mutationFn: (yaml: string) => api.post<RulesetImport>('/library/import', { yaml, existing: 'merge' }),
    onSuccess: async ({ created, updated, unchanged, composition }) => {
      await Promise.all(['library', 'compositions'].map((key) => client.invalidateQueries({ queryKey: [key] })))
      tell(
        `${composition} is in the library`,
        `${counted(created.length, 'new rule')}, ${updated.length} with a new version, ${unchanged.length} as they were.`,
      )
      await navigate({
        to: '/library',
        search: ({ environment }) => ({ environment, tab: 'compositions', composition }),
      })
    },
    onError: (error) => tellFailure('It was not taken into the library', wordsFor(error)),
  })
}

export function ImportButton() {
  const file = useRef<HTMLInputElement>(null)
  const take = useImport()
  const read = async (from: File | undefined): Promise<void> => {
    if (!from) return
    if (from.size > bytesMax) return tellFailure(`${from.name} was not read`, 'It is larger than 1 MiB.')
    take.mutate(await from.text())
  }
  return (
    <>
      <input
        ref={file}
        type="file"
        accept=".yaml,.yml,application/yaml,text/*"
        className="cs-hidden"
        tabIndex={-1}
        aria-label="Ruleset to take apart"
        onChange={(event) => {
          void read(event.currentTarget.files?.[0])
          event.currentTarget.value = ''
        }}
      />
      <Button variant="default" loading={take.isPending} onClick={() => file.current?.click()}>
        Import a ruleset
      </Button>
    </>
  )
}
