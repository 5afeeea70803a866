import { Button, Select, Switch, TextInput, Tooltip } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { fieldErrors, wordsFor } from '../../api/problem.ts'
import { useCan } from '../../api/session.ts'
import type { Environment } from '../../api/types.ts'
import { ConfirmDestructive } from '../../ui/confirm-destructive.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { colorOf, environmentColorNames } from '../../ui/environments.ts'
import groups from '../../ui/groups.module.css'
import { CrossIcon, SortDownIcon, SortUpIcon } from '../../ui/icons.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { Notice } from '../../ui/notice.tsx'
import { counted } from '../../ui/numbers.ts'
import { tell, tellFailure } from '../../ui/tell.tsx'
import ui from '../../ui/ui.module.css'
import { BaselinesDrawer } from '../baselines/baselines-drawer.tsx'
import { baselinesQuery } from '../baselines/queries.ts'
import { PoliciesDrawer } from './policies-drawer.tsx'
import { environmentsQuery } from './queries.ts'
import { settingsRoute } from './route.ts'
import classes from './settings.module.css'

function useRefresh(): () => Promise<void> {
  const client = useQueryClient()
  return () =>
    client.invalidateQueries({ predicate: ({ queryKey }) => ['environments', 'session'].includes(String(queryKey[0])) })
}

export function Environments() {
  const { data, error, isError, refetch } = useQuery(environmentsQuery)
  const mayWrite = useCan('environments:write')
  const refresh = useRefresh()
  const { baselines: opened, policies: openedPolicies } = settingsRoute.useSearch()
  const navigate = useNavigate()
  const open = (name: string | undefined): void => {
    void navigate({
      to: '/settings',
      search: ({ environment }) => ({ environment, tab: 'environments', baselines: name }),
    })
  }
  const openPolicies = (name: string | undefined): void => {
    void navigate({
      to: '/settings',
      search: ({ environment }) => ({ environment, tab: 'environments', policies: name }),
    })
  }
  const order = useMutation({
    // Places are numbered anew from the top, so that two of one number cannot stand in the way.
    mutationFn: async (names: readonly string[]) => {
      for (const [position, name] of names.entries()) await api.patch(`/environments/${name}`, { position })
    },
    onError: (failure) => tellFailure('The order was not changed', wordsFor(failure)),
    onSettled: refresh,
  })
  if (isError && !data)
    return <Failed what="The environments could not be read" error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading rows={3} rowHeight={48} />
  const sorted = data.items.toSorted((one, other) => one.position - other.position)
  const move = (at: number, step: number): void => {
    const names = sorted.map(({ name }) => name)
    const [moved = ''] = names.splice(at, 1)
    names.splice(at + step, 0, moved)
    order.mutate(names)
  }
  return (
    <>
      <section className={groups.group} aria-label="Environments">
        <h2>Environments</h2>
        <p className={groups.lead}>
          A protected environment is inked solid wherever it is named, and keys of it are never the first choice.
        </p>
        {sorted.map((environment, at) => (
          <Row
            key={environment.name}
            environment={environment}
            isEditable={mayWrite}
            onBaselines={() => open(environment.name)}
            onPolicies={() => openPolicies(environment.name)}
            onUp={at > 0 ? () => move(at, -1) : undefined}
            onDown={at < sorted.length - 1 ? () => move(at, 1) : undefined}
          />
        ))}
      </section>
      {mayWrite && <Add />}
      {openedPolicies !== undefined && sorted.some(({ name }) => name === openedPolicies) && (
        <PoliciesDrawer environment={openedPolicies} onClose={() => openPolicies(undefined)} />
      )}
      {opened !== undefined && sorted.some(({ name }) => name === opened) && (
        <BaselinesDrawer environment={opened} onClose={() => open(undefined)} />
      )}
    </>
  )
}

type RowProps = {
  readonly environment: Environment
  readonly isEditable: boolean
  readonly onBaselines: () => void
  readonly onPolicies: () => void
  readonly onUp: (() => void) | undefined
  readonly onDown: (() => void) | undefined
}

function Row({ environment, isEditable, onBaselines, onPolicies, onUp, onDown }: RowProps) {
  const { name, color, is_protected, key_count } = environment
  const refresh = useRefresh()
  const mayReadRulesets = useCan('rulesets:read')
  const [isRemoving, setRemoving] = useState(false)
  const change = useMutation({
    mutationFn: (body: Partial<Environment>) => api.patch(`/environments/${name}`, body),
    onError: (error) => tellFailure(`${name} was not changed`, wordsFor(error)),
    onSettled: refresh,
  })
  const remove = useMutation({
    mutationFn: () => api.delete(`/environments/${name}`),
    onSuccess: () => {
      setRemoving(false)
      tell(`${name} was removed`)
    },
    onSettled: refresh,
  })
  return (
    <div className={classes.environment}>
      <span className={classes.environmentName}>
        <EnvironmentTag name={name} />
        <span className={classes.quiet}>{counted(key_count, 'key')}</span>
        {mayReadRulesets && <BaselinesLink environment={name} onOpen={onBaselines} />}
        <button type="button" className={ui.textButton} aria-label={`Decisions in ${name}`} onClick={onPolicies}>
          decisions
        </button>
      </span>
      {isEditable && (
        <>
          <ColorSelect
            label={`Color of ${name}`}
            value={color}
            onChange={(chosen) => change.mutate({ color: chosen })}
          />
          <Switch
            label="Protected"
            checked={is_protected}
            disabled={change.isPending}
            onChange={(event) => change.mutate({ is_protected: event.currentTarget.checked })}
          />
          <span className={classes.moves}>
            <button
              type="button"
              className={ui.iconButton}
              aria-label={`Move ${name} up`}
              disabled={!onUp}
              onClick={onUp}
            >
              <SortUpIcon size={14} />
            </button>
            <button
              type="button"
              className={ui.iconButton}
              aria-label={`Move ${name} down`}
              disabled={!onDown}
              onClick={onDown}
            >
              <SortDownIcon size={14} />
            </button>
            <Tooltip label={key_count > 0 ? `Revoke its ${counted(key_count, 'key')} first` : `Remove ${name}`}>
              <button
                type="button"
                className={ui.iconButton}
                aria-label={`Remove ${name}`}
                aria-disabled={key_count > 0}
                onClick={() => key_count === 0 && setRemoving(true)}
              >
                <CrossIcon size={14} />
              </button>
            </Tooltip>
          </span>
          <ConfirmDestructive
            isOpen={isRemoving}
            onClose={() => setRemoving(false)}
            title={`Remove ${name}`}
            name={name}
            action="Remove the environment"
            onConfirm={() => remove.mutate()}
            isBusy={remove.isPending}
            error={remove.error}
          >
            <p>It disappears from the switch and from new keys and rollouts. What was recorded of it stays.</p>
          </ConfirmDestructive>
        </>
      )}
    </div>
  )
}

type BaselinesLinkProps = { readonly environment: string; readonly onOpen: () => void }

/** Says which rulesets stand in front of all others there, and leads to them. */
function BaselinesLink({ environment, onOpen }: BaselinesLinkProps) {
  const { data } = useQuery(baselinesQuery(environment))
  if (!data) return null
  const [first, ...more] = data.baselines
  const isBehind = data.rulesets.some(({ is_included }) => !is_included)
  const shown = first
    ? `${first.ruleset} v${first.version}${more.length > 0 ? ` and ${more.length} more` : ''} in front`
    : 'no baseline'
  const words = isBehind ? `${shown}, not everywhere` : shown
  return (
    <button
      type="button"
      className={isBehind ? `${ui.textButton} ${classes.behind}` : ui.textButton}
      aria-label={`${words}: baselines of ${environment}`}
      onClick={onOpen}
    >
      {words}
    </button>
  )
}

type ColorProps = { readonly label: string; readonly value: string; readonly onChange: (color: string) => void }

function ColorSelect({ label, value, onChange }: ColorProps) {
  return (
    <Select
      aria-label={label}
      className={classes.color}
      data={environmentColorNames}
      value={value}
      onChange={(chosen) => chosen !== null && chosen !== value && onChange(chosen)}
      leftSection={<span className={classes.swatch} style={{ background: colorOf(value) }} />}
      renderOption={({ option }) => (
        <span className={classes.option}>
          <span className={classes.swatch} style={{ background: colorOf(option.value) }} />
          {option.label}
        </span>
      )}
    />
  )
}

function Add() {
  const refresh = useRefresh()
  const [name, setName] = useState('')
  const [color, setColor] = useState('teal')
  const [isProtected, setProtected] = useState(false)
  const add = useMutation({
    mutationFn: () => api.post('/environments', { name: name.trim(), color, is_protected: isProtected }),
    onSuccess: () => {
      tell(`${name.trim()} was added`, 'Keys and rollouts can name it now.')
      setName('')
      setProtected(false)
    },
    onSettled: refresh,
  })
  const faults = fieldErrors(add.error)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    add.mutate()
  }
  return (
    <section className={groups.group} aria-label="Add an environment">
      <h2>Add an environment</h2>
      {add.isError && faults['name'] === undefined && <Notice tone="bad">{wordsFor(add.error)}</Notice>}
      <form className={classes.add} onSubmit={submit}>
        <TextInput
          label="Name"
          placeholder="qa"
          required
          withAsterisk={false}
          maxLength={64}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={faults['name']}
        />
        <ColorSelect label="Color" value={color} onChange={setColor} />
        <Switch
          label="Protected"
          checked={isProtected}
          onChange={(event) => setProtected(event.currentTarget.checked)}
        />
        <Button type="submit" loading={add.isPending} disabled={name.trim() === ''}>
          Add
        </Button>
      </form>
    </section>
  )
}
