import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { useCan } from '../../api/session.ts'
import type { TrailEntryShown } from '../../api/types.ts'
import { ConfirmDestructive } from '../../ui/confirm-destructive.tsx'
import { tell } from '../../ui/tell.tsx'

/** Makes everything personal the trail says of one person unreadable, in this entry and every other. */
export function EraseFacts({ entry }: { readonly entry: TrailEntryShown }) {
  const mayManage = useCan('trail:manage')
  const people = peopleIn(entry)
  if (!mayManage) return null
  return people.map((id) => <EraseOne key={id} id={id} isActor={entry.actor.id === id} />)
}

function EraseOne({ id, isActor }: { readonly id: string; readonly isActor: boolean }) {
  const client = useQueryClient()
  const [isOpen, setOpen] = useState(false)
  const short = id.slice(-12)
  const erase = useMutation({
    mutationFn: () =>
      api.post<{ readonly keys: number }>('/trail/erasures', { data_subject: `person:${id}`, confirm: `person:${id}` }),
    onSuccess: () => {
      setOpen(false)
      tell('Erased', 'Their name, address and whatever else was personal can be read by nobody any more.')
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['trail'] }),
  })
  return (
    <div>
      <Button variant="default" size="compact-sm" onClick={() => setOpen(true)}>
        Erase what is personal about {isActor ? 'who did it' : 'whom it concerns'}
      </Button>
      <ConfirmDestructive
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        title="Erase what the trail says of a person"
        name={short}
        action="Erase for good"
        onConfirm={() => erase.mutate()}
        isBusy={erase.isPending}
        error={erase.error}
      >
        <p>
          Names, e-mail addresses and network addresses of person <code>{id}</code> become unreadable in every entry, by
          destroying the key they are sealed under. What was done, when and by which id stays, and every proof still
          holds. This cannot be undone.
        </p>
      </ConfirmDestructive>
    </div>
  )
}

/** Those of whom something personal can still be read here. */
function peopleIn({ actor, subject, personal }: TrailEntryShown): readonly string[] {
  const found = [
    actor.kind === 'person' && (personal.actor !== undefined || personal.request !== undefined) && actor.id,
    subject.kind === 'person' && personal.subject !== undefined && subject.id,
  ]
  return [...new Set(found.filter((id) => id !== false))]
}
