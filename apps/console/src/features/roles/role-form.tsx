import { Button, Checkbox, Select, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { fieldErrors, wordsFor } from '../../api/problem.ts'
import { Notice } from '../../ui/notice.tsx'
import { tell } from '../../ui/tell.tsx'
import { pathOf } from './queries.ts'
import classes from './roles.module.css'
import type { Role, RoleList } from './types.ts'
import { grouped, nameFrom, reachWords } from './words.ts'

type Props = {
  readonly list: RoleList
  /** Undefined for one that is being made. */
  readonly role?: Role
  readonly onDone: (name: string) => void
}

/** A role of one's own: its words and, one by one, what it allows. */
export function RoleForm({ list, role, onDone }: Props) {
  const client = useQueryClient()
  const [title, setTitle] = useState(role?.title ?? '')
  const [description, setDescription] = useState(role?.description ?? '')
  const [chosen, setChosen] = useState<readonly string[]>(role?.permissions ?? [])
  const name = role?.name ?? nameFrom(title)
  const save = useMutation({
    mutationFn: () => {
      const words = { title: title.trim(), description: description.trim(), permissions: chosen }
      return role ? api.patch<Role>(pathOf(role.name), words) : api.post<Role>('/roles', { name, ...words })
    },
    onSuccess: () => {
      tell(role ? `${title.trim()} was changed` : `${title.trim()} was made`, 'It holds from the next request.')
      onDone(name)
    },
    onSettled: () =>
      client.invalidateQueries({
        predicate: ({ queryKey }) => ['roles', 'people', 'session'].includes(String(queryKey[0])),
      }),
  })
  const faults = fieldErrors(save.error)
  const isBeyond = list.permissions.some(({ is_held }) => !is_held)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    save.mutate()
  }
  const toggle = (permission: string, isOn: boolean): void =>
    setChosen(isOn ? [...chosen, permission] : chosen.filter((one) => one !== permission))
  return (
    <form className={classes.form} onSubmit={submit}>
      <TextInput
        label="Title"
        description={name === '' ? 'It must begin with a letter.' : `Its name in the API: ${name}`}
        required
        withAsterisk={false}
        maxLength={80}
        data-autofocus
        value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
        error={faults['title'] ?? faults['name']}
      />
      <Textarea
        label="What it is for"
        maxLength={400}
        autosize
        minRows={2}
        value={description}
        onChange={(event) => setDescription(event.currentTarget.value)}
        error={faults['description']}
      />
      {!role && (
        <Select
          label="Begin with"
          placeholder="No permission"
          data={list.items.map((one) => ({ value: one.name, label: one.title }))}
          value={null}
          onChange={(begun) => {
            const held = new Set(list.permissions.filter(({ is_held }) => is_held).map((one) => one.name))
            setChosen((list.items.find((one) => one.name === begun)?.permissions ?? []).filter((one) => held.has(one)))
          }}
        />
      )}
      {isBeyond && (
        <Notice tone="plain">
          Nobody gives more than they hold: what you do not hold in every environment cannot be chosen.
        </Notice>
      )}
      <div className={classes.choices}>
        {grouped(list.permissions).map(({ word, permissions }) => (
          <fieldset key={word}>
            <legend>{word}</legend>
            {permissions.map((permission) => (
              <Checkbox
                key={permission.name}
                label={permission.does}
                description={`${permission.name}: ${reachWords(permission)}`}
                checked={chosen.includes(permission.name)}
                disabled={!permission.is_held}
                onChange={(event) => toggle(permission.name, event.currentTarget.checked)}
              />
            ))}
          </fieldset>
        ))}
      </div>
      {save.isError && faults['title'] === undefined && faults['name'] === undefined && (
        <Notice tone="bad">{wordsFor(save.error)}</Notice>
      )}
      <div className={classes.acts}>
        <Button
          type="submit"
          loading={save.isPending}
          disabled={name === '' || title.trim() === '' || chosen.length === 0}
        >
          {role ? 'Save the role' : 'Make the role'}
        </Button>
      </div>
    </form>
  )
}
