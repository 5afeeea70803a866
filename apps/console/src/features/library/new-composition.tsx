import type { Composition } from '@countersign/wire'
import { Button, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { fieldErrors, wordsFor } from '../../api/problem.ts'
import { Notice } from '../../ui/notice.tsx'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import classes from './library.module.css'

type Props = { readonly onClose: () => void; readonly onMade: (name: string) => void }

export function NewComposition({ onClose, onMade }: Props) {
  const client = useQueryClient()
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const make = useMutation({
    mutationFn: () =>
      api.post<Composition>('/compositions', {
        name: name.trim(),
        ...(description.trim() !== '' && { description: description.trim() }),
      }),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['compositions'] })
      onMade(made.name)
    },
  })
  const faults = fieldErrors(make.error)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    make.mutate()
  }
  return (
    <SideDrawer isOpen onClose={onClose} title="New composition" width={480}>
      <form className={classes.form} onSubmit={submit}>
        <TextInput
          label="Name"
          description="The ruleset that is made of it has this name too."
          placeholder="deploy-agents"
          required
          withAsterisk={false}
          maxLength={128}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={faults['name']}
          data-autofocus
        />
        <Textarea
          label="Description"
          autosize
          minRows={1}
          maxRows={5}
          maxLength={2000}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
        />
        {make.isError && faults['name'] === undefined && <Notice tone="bad">{wordsFor(make.error)}</Notice>}
        <div className={classes.line}>
          <span className={classes.grow} />
          <Button type="submit" loading={make.isPending} disabled={name.trim() === ''}>
            Make the composition
          </Button>
        </div>
      </form>
    </SideDrawer>
  )
}
