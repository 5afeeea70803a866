import { Button, Modal, Select, Switch, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { fieldErrors, wordsFor } from '../../api/problem.ts'
import { useEnvironmentsFor, useSession } from '../../api/session.ts'
import type { AgentKey, MadeAgentKey } from '../../api/types.ts'
import { Notice } from '../../ui/notice.tsx'
import { ShownOnce } from '../../ui/shown-once.tsx'
import { Snippet } from '../../ui/snippets/snippet.tsx'
import { useExampleRuleset } from '../rulesets/example-ruleset.ts'
import classes from './keys.module.css'
import { renderingChoices } from './words.ts'

type Props = { readonly isOpen: boolean; readonly environment: string | undefined; readonly onClose: () => void }

export function MakeKey({ isOpen, environment, onClose }: Props) {
  const [made, setMade] = useState<MadeAgentKey | null>(null)
  const close = (): void => {
    setMade(null)
    onClose()
  }
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title={made ? 'Copy the key now' : 'Make a key'}
      size={made ? 720 : 480}
      yOffset="7vh"
      // A key that is not copied is lost: a stray click beside the dialog must not close it.
      closeOnEscape={made === null}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {isOpen && (made ? <Once made={made} onDone={close} /> : <Draft environment={environment} onMade={setMade} />)}
    </Modal>
  )
}

type DraftProps = { readonly environment: string | undefined; readonly onMade: (made: MadeAgentKey) => void }

function Draft({ environment, onMade }: DraftProps) {
  const environments = useEnvironmentsFor('keys:write')
  const client = useQueryClient()
  // Nobody gets a key of a protected environment by not looking.
  const [chosen, setChosen] = useState(
    (environments.find(({ name }) => name === environment) ?? environments.find(({ is_protected }) => !is_protected))
      ?.name ?? null,
  )
  const [label, setLabel] = useState('')
  const [rendering, setRendering] = useState<AgentKey['rendering']>('auto')
  const [mayDecide, setMayDecide] = useState(false)
  const make = useMutation({
    mutationFn: () =>
      api.post<MadeAgentKey>('/keys', {
        environment: chosen,
        label: label.trim(),
        rendering,
        ...(mayDecide && { may_decide: true }),
      }),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ['keys'] })
      void client.invalidateQueries({ queryKey: ['overview'] })
      onMade(made)
    },
  })
  const faults = fieldErrors(make.error)
  const isProtected = environments.find(({ name }) => name === chosen)?.is_protected ?? false
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (chosen !== null) make.mutate()
  }
  return (
    <form className={classes.form} onSubmit={submit}>
      <TextInput
        label="Label"
        description="What or who will hold it. Shown wherever the key is."
        placeholder="ci runners"
        maxLength={255}
        data-autofocus
        value={label}
        onChange={(event) => setLabel(event.currentTarget.value)}
        error={faults['label']}
      />
      <Select
        label="Environment"
        data={environments.map(({ name }) => name)}
        value={chosen}
        onChange={setChosen}
        error={faults['environment']}
      />
      {isProtected && (
        <Notice tone="care">
          {chosen} is protected. Whoever holds this key acts there under its rules and can ask for approvals.
        </Notice>
      )}
      <Select
        label="Rules are served as"
        description="Python 0.17 and TypeScript 0.2 call the older path and read only Ruleset: choose it for them."
        data={[...renderingChoices]}
        value={rendering}
        onChange={(value) => setRendering(renderingChoices.find((one) => one.value === value)?.value ?? 'auto')}
      />
      <Switch
        label="May decide approvals"
        description="For a bot that approves for people. Never for a key that an agent holds."
        checked={mayDecide}
        onChange={(event) => setMayDecide(event.currentTarget.checked)}
      />
      {make.isError && <Notice tone="bad">{wordsFor(make.error)}</Notice>}
      <div className={classes.actions}>
        <Button type="submit" loading={make.isPending} disabled={chosen === null}>
          Make the key
        </Button>
      </div>
    </form>
  )
}

function Once({ made, onDone }: { readonly made: MadeAgentKey; readonly onDone: () => void }) {
  const { server } = useSession()
  const ruleset = useExampleRuleset(made.environment)
  return (
    <div className={classes.form}>
      <p className={classes.lead}>
        It is shown once. The server keeps only a keyed hash, so nobody can show it again; if it is lost, revoke it and
        make another.
      </p>
      <ShownOnce text={made.key} what="the key" />
      <Snippet url={server.base_url} agentKey={made.key} environment={made.environment} ruleset={ruleset} />
      <div className={classes.actions}>
        <Button onClick={onDone}>I have copied it</Button>
      </div>
    </div>
  )
}
