import { Button, Modal, MultiSelect, Select, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { fieldErrors, wordsFor } from '../../api/problem.ts'
import { serverNow } from '../../api/server-time.ts'
import { useEnvironments } from '../../api/session.ts'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { Notice } from '../../ui/notice.tsx'
import { choicesQuery } from './queries.ts'
import { TokenOnce } from './token-once.tsx'
import classes from './tokens.module.css'
import type { ApiTokenChoices, MadeApiToken } from './types.ts'
import { expiryOf, lifetimes } from './words.ts'

export function MakeToken({ onClose }: { readonly onClose: () => void }) {
  const [made, setMade] = useState<MadeApiToken | null>(null)
  const { data, error, isError, refetch } = useQuery(choicesQuery)
  return (
    <Modal
      opened
      onClose={onClose}
      title={made ? 'Copy the token now' : 'Make an API token'}
      size={made ? 640 : 520}
      yOffset="7vh"
      // A token that is not copied is lost: a stray click beside the dialog must not close it.
      closeOnEscape={made === null}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {made && <TokenOnce made={made} onDone={onClose} />}
      {!made && isError && !data && (
        <Failed what="What you may give could not be read" error={error} onRetry={() => void refetch()} />
      )}
      {!made && !data && !isError && <Loading rows={4} />}
      {!made && data && <Draft choices={data} onMade={setMade} />}
    </Modal>
  )
}

type DraftProps = { readonly choices: ApiTokenChoices; readonly onMade: (made: MadeApiToken) => void }

function Draft({ choices, onMade }: DraftProps) {
  const client = useQueryClient()
  const known = useEnvironments().map(({ name }) => name)
  const [name, setName] = useState('')
  const [template, setTemplate] = useState<string | null>(null)
  const [chosen, setChosen] = useState<readonly string[]>([])
  const [where, setWhere] = useState<readonly string[]>([])
  const shortest = choices.days_max === null || choices.days_max >= 90 ? '90' : ''
  const [days, setDays] = useState<string>(shortest)
  const make = useMutation({
    mutationFn: () => {
      const expires_at = expiryOf(days, serverNow())
      return api.post<MadeApiToken>('/tokens', {
        name: name.trim(),
        permissions: chosen,
        ...(where.length > 0 && { environments: where }),
        ...(expires_at !== undefined && { expires_at }),
      })
    },
    onSuccess: onMade,
    onSettled: () => client.invalidateQueries({ queryKey: ['tokens', 'list'] }),
  })
  const faults = fieldErrors(make.error)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    make.mutate()
  }
  const ends = lifetimes.filter(({ value }) => choices.days_max === null || Number(value) <= choices.days_max)
  return (
    <form className={classes.form} onSubmit={submit}>
      <TextInput
        label="Name"
        description="What holds it. Shown wherever it acts."
        placeholder="release pipeline"
        required
        withAsterisk={false}
        maxLength={150}
        autoFocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={faults['name']}
      />
      <Select
        label="Begin with the permissions of a role"
        description="They are copied: later changes of the role do not reach the token."
        placeholder="No role"
        clearable
        clearButtonProps={{ 'aria-label': 'No role' }}
        data={choices.roles.map((role) => ({ value: role.name, label: role.title }))}
        value={template}
        onChange={(value) => {
          setTemplate(value)
          setChosen(choices.roles.find((role) => role.name === value)?.permissions ?? [])
        }}
      />
      <MultiSelect
        label="Permissions"
        description="Only what you hold yourself, and what a machine may do."
        searchable
        data={choices.permissions.map((one) => ({ value: one.name, label: `${one.does} (${one.name})` }))}
        value={[...chosen]}
        onChange={setChosen}
        maxDropdownHeight={260}
        error={faults['permissions']}
      />
      <MultiSelect
        label="Environments"
        placeholder={where.length === 0 ? (choices.environments === null ? 'Everywhere' : 'Choose where') : ''}
        data={choices.environments ?? known}
        value={[...where]}
        onChange={setWhere}
        error={faults['environments']}
      />
      <Select
        label="Ends after"
        data={[
          ...ends,
          { value: '', label: choices.days_max === null ? 'Never' : `As late as allowed: ${choices.days_max} days` },
        ]}
        allowDeselect={false}
        value={days}
        onChange={(value) => setDays(value ?? '')}
        error={faults['expires_at']}
      />
      {days === '' && choices.days_max === null && (
        <Notice tone="care">A token without an end is found years later. Rotate it by the calendar.</Notice>
      )}
      {make.isError && Object.keys(faults).length === 0 && <Notice tone="bad">{wordsFor(make.error)}</Notice>}
      <div className={classes.acts}>
        <Button type="submit" loading={make.isPending} disabled={name.trim() === '' || chosen.length === 0}>
          Make the token
        </Button>
      </div>
    </form>
  )
}
