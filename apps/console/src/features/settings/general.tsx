import { Button, NumberInput, Select, Switch, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useCan } from '../../api/session.ts'
import type { Setting } from '../../api/types.ts'
import groups from '../../ui/groups.module.css'
import { SearchIcon } from '../../ui/icons.tsx'
import { Failed, FilteredToNothing, Loading } from '../../ui/list-states.tsx'
import { tell, tellFailure } from '../../ui/tell.tsx'
import ui from '../../ui/ui.module.css'
import { settingsQuery } from './queries.ts'
import { settingsRoute } from './route.ts'
import classes from './settings.module.css'

export function General() {
  const { data, error, isError, refetch } = useQuery(settingsQuery)
  if (isError && !data)
    return <Failed what="The settings could not be read" error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading rowHeight={64} rows={5} />
  return <Groups settings={data.items} />
}

const sources = [
  { value: 'any', label: 'All' },
  { value: 'database', label: 'Set here' },
  { value: 'environment', label: 'Set by the environment' },
  { value: 'default', label: 'Default' },
] as const

function Groups({ settings }: { readonly settings: readonly Setting[] }) {
  const { q = '', setting: pointed } = settingsRoute.useSearch()
  const navigate = useNavigate()
  const [source, setSource] = useState<(typeof sources)[number]['value']>('any')
  const sought = wordsIn(q)
  const shown = settings.filter(
    (one) =>
      (source === 'any' || one.source === source) &&
      sought.every((word) => `${one.title} ${one.help} ${one.name} ${one.group}`.toLowerCase().includes(word)),
  )
  const find = (words: string): void => {
    void navigate({
      to: '/settings',
      search: ({ environment }) => ({ environment, q: words || undefined }),
      replace: true,
    })
  }
  return (
    <>
      <div className={classes.find}>
        <TextInput
          aria-label="Find a setting"
          placeholder="Title, help or name"
          leftSection={<SearchIcon size={14} />}
          value={q}
          onChange={(event) => find(event.currentTarget.value)}
        />
        <Select
          aria-label="Where it comes from"
          data={[...sources]}
          allowDeselect={false}
          value={source}
          onChange={(value) => setSource(sources.find((one) => one.value === value)?.value ?? 'any')}
        />
      </div>
      {shown.length === 0 && (
        <FilteredToNothing
          what="settings"
          onClear={() => {
            setSource('any')
            find('')
          }}
        />
      )}
      {[...Map.groupBy(shown, ({ group }) => group)].map(([group, members]) => (
        <section key={group} className={groups.group} aria-label={group}>
          <h2>{group}</h2>
          {members.map((setting) => (
            // A value that changed elsewhere replaces what was being typed.
            <Row
              key={`${setting.name} ${String(setting.value)}`}
              setting={setting}
              isPointedAt={setting.name === pointed}
            />
          ))}
        </section>
      ))}
    </>
  )
}

function wordsIn(text: string): readonly string[] {
  return text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
}

type Value = Setting['value']

function useChange({ name, title, value: before, source }: Setting) {
  const client = useQueryClient()
  const settled = (): Promise<void> => client.invalidateQueries({ queryKey: ['settings'] })
  const write = (value: Value | undefined): Promise<unknown> =>
    value === undefined ? api.delete(`/settings/${name}`) : api.put(`/settings/${name}`, { value })
  return useMutation({
    mutationFn: write,
    onSuccess: () => {
      const undo = (): void => {
        write(source === 'database' ? before : undefined).then(settled, (error: unknown) => {
          tellFailure(`${title} was not changed back`, wordsFor(error))
        })
      }
      tell('Saved', `${title} holds from now on.`, undo)
    },
    onError: (error) => tellFailure(`${title} was not changed`, wordsFor(error)),
    onSettled: settled,
  })
}

type RowProps = { readonly setting: Setting; readonly isPointedAt: boolean }

function Row({ setting, isPointedAt }: RowProps) {
  const { name, title, help, source, environment_variable, fallback } = setting
  const change = useChange(setting)
  const isEditable = useCan('settings:write') && environment_variable === null
  return (
    <div ref={isPointedAt ? showAtOnce : undefined} className={classes.row} data-pointed={isPointedAt || undefined}>
      <div className={classes.words}>
        <h3 id={`setting-${name}`}>{title}</h3>
        <p>{help}</p>
        <p className={classes.source}>
          {source === 'database' && (
            <>
              Set here.{' '}
              {isEditable && (
                <button
                  type="button"
                  className={ui.textButton}
                  disabled={change.isPending}
                  onClick={() => change.mutate(undefined)}
                >
                  Back to {shownValue(setting, fallback)}
                </button>
              )}
            </>
          )}
          {source === 'default' && 'Default.'}
          {source === 'environment' && 'Set by the environment.'}
          {environment_variable !== null && (
            <>
              {' '}
              Changes with <code>{environment_variable}</code> and a restart.
            </>
          )}{' '}
          <Link to="/settings" search={({ environment }) => ({ environment, setting: name })}>
            <code>{name}</code>
          </Link>
        </p>
      </div>
      <div className={classes.control}>
        {isEditable ? (
          <Control setting={setting} isBusy={change.isPending} onSave={(value) => change.mutate(value)} />
        ) : (
          <span className={classes.fixed}>{shownValue(setting, setting.value)}</span>
        )}
      </div>
    </div>
  )
}

function showAtOnce(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: 'center' })
}

type ControlProps = { readonly setting: Setting; readonly isBusy: boolean; readonly onSave: (value: Value) => void }

function Control({ setting, isBusy, onSave }: ControlProps): ReactNode {
  const { name, kind, value, choices, unit, minimum, maximum, is_optional } = setting
  const [typed, setTyped] = useState<string | number>(typeof value === 'number' ? value : '')
  const labelled = { 'aria-labelledby': `setting-${name}` }
  if (kind === 'boolean') {
    return (
      <Switch
        {...labelled}
        checked={value === true}
        disabled={isBusy}
        onChange={(event) => onSave(event.currentTarget.checked)}
      />
    )
  }
  if (kind === 'choice') {
    return (
      <Select
        {...labelled}
        data={choices.map((one) => ({ value: one.value, label: one.title }))}
        value={typeof value === 'string' ? value : null}
        disabled={isBusy}
        onChange={(chosen) => chosen !== null && chosen !== value && onSave(chosen)}
      />
    )
  }
  const wanted = typed === '' ? null : Number(typed)
  return (
    <form
      className={classes.number}
      onSubmit={(event) => {
        event.preventDefault()
        onSave(wanted)
      }}
    >
      <NumberInput
        {...labelled}
        value={typed}
        onChange={setTyped}
        min={minimum ?? undefined}
        max={maximum ?? undefined}
        allowDecimal={false}
        hideControls
        placeholder={is_optional ? 'unset' : undefined}
        rightSection={unit && <span className={classes.unit}>{unit}</span>}
        rightSectionWidth={unit === null ? undefined : 72}
        disabled={isBusy}
      />
      <Button
        type="submit"
        variant="default"
        disabled={wanted === value || (wanted === null && !is_optional)}
        loading={isBusy}
      >
        Save
      </Button>
    </form>
  )
}

function shownValue({ kind, choices, unit }: Setting, value: Value): string {
  if (value === null) return 'unset'
  if (kind === 'boolean') return value === true ? 'on' : 'off'
  if (kind === 'choice') return choices.find((one) => one.value === value)?.title ?? String(value)
  return unit === null ? String(value) : `${String(value)} ${unit}`
}
