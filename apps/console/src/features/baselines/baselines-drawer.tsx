import type { Baseline, EnvironmentBaselines } from '@countersign/wire'
import { Button, Select, TextInput } from '@mantine/core'
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { ApiProblem, wordsFor } from '../../api/problem.ts'
import { useCanIn, useEnvironments } from '../../api/session.ts'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { Notice } from '../../ui/notice.tsx'
import { counted } from '../../ui/numbers.ts'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { tell } from '../../ui/tell.tsx'
import { rulesetsQuery } from '../rulesets/queries.ts'
import { BaselineChanges } from './baseline-changes.tsx'
import { BaselineRow } from './baseline-row.tsx'
import classes from './baselines.module.css'
import { baselinesPreviewQuery, baselinesQuery, isSame, pathOf } from './queries.ts'

type Props = { readonly environment: string; readonly onClose: () => void }

/** The rulesets whose rules stand in front of all others of an environment, and what a change would do before it is done. */
export function BaselinesDrawer({ environment, onClose }: Props) {
  const { data, error, isError, refetch } = useQuery(baselinesQuery(environment))
  return (
    <SideDrawer isOpen onClose={onClose} title={`Baselines of ${environment}`} width={600}>
      {isError && !data && (
        <Failed what="The baselines could not be read" error={error} onRetry={() => void refetch()} />
      )}
      {!data && !isError && <Loading rows={4} />}
      {data && <Body key={JSON.stringify(data.baselines)} kept={data} />}
    </SideDrawer>
  )
}

function Body({ kept }: { readonly kept: EnvironmentBaselines }) {
  const { environment, baselines, rulesets } = kept
  const client = useQueryClient()
  const mayWrite = useCanIn('rollouts:write', environment)
  const isProtected = useEnvironments().some(({ name, is_protected }) => name === environment && is_protected)
  const [draft, setDraft] = useState<readonly Baseline[]>(baselines)
  const [typed, setTyped] = useState('')
  const isChanged = !isSame(draft, baselines)
  const behind = rulesets.filter(({ is_included }) => !is_included)
  const preview = useQuery({
    ...baselinesPreviewQuery(environment, draft),
    enabled: isChanged || behind.length > 0,
    placeholderData: keepPreviousData,
  })
  const save = useMutation({
    mutationFn: () => api.put<EnvironmentBaselines>(pathOf(environment), { baselines: draft, expected: baselines }),
    onSuccess: (saved) => {
      client.setQueryData(baselinesQuery(environment).queryKey, saved)
      setTyped('')
      tell(
        `The baselines of ${environment} hold`,
        `${counted(saved.rulesets.length, 'live ruleset')} ${saved.rulesets.length === 1 ? 'includes' : 'include'} them.`,
      )
    },
    // Also after a failure: some may have been rolled out before it.
    onSettled: () =>
      client.invalidateQueries({
        predicate: ({ queryKey }) => ['baselines', 'rulesets', 'rollouts'].includes(String(queryKey[0])),
      }),
  })
  const isCurrent = preview.isSuccess && !preview.isPlaceholderData
  const fault = preview.data?.problem ?? null
  const broken = preview.data?.rulesets.filter(({ problem }) => problem !== null) ?? []
  const reached = preview.data?.rulesets.filter(({ is_changed }) => is_changed).length ?? 0
  const mustType = isProtected && reached > 0
  const canSave = isCurrent && fault === null && broken.length === 0 && (!mustType || typed === environment)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (canSave) save.mutate()
  }
  const put = (at: number, baseline: Baseline): void =>
    setDraft(draft.map((one, index) => (index === at ? baseline : one)))
  return (
    <form className={classes.form} onSubmit={submit}>
      <p className={classes.lead}>
        Their rules stand in front of every ruleset that is live in <EnvironmentTag name={environment} />, in this order
        and in their own mode. Whoever rolls out there cannot leave them out.
      </p>
      {draft.length === 0 ? (
        <p className={classes.quiet}>None: every ruleset there is what its author wrote.</p>
      ) : (
        <ol className={classes.list}>
          {draft.map((baseline, at) => (
            <BaselineRow
              key={baseline.ruleset}
              baseline={baseline}
              isEditable={mayWrite}
              onVersion={(version) => put(at, { ...baseline, version })}
              onUp={at > 0 ? () => setDraft(moved(draft, at)) : undefined}
              onRemove={() => setDraft(draft.filter((one) => one !== baseline))}
            />
          ))}
        </ol>
      )}
      {mayWrite && <Add draft={draft} onAdd={(baseline) => setDraft([...draft, baseline])} />}
      {!isChanged && behind.length > 0 && (
        <Notice
          tone="care"
          title={`${counted(behind.length, 'live ruleset')} ${behind.length === 1 ? 'does' : 'do'} not include them`}
        >
          A change that ended half-way leaves this behind, until they are rolled out with the baselines below.
        </Notice>
      )}
      {(isChanged || behind.length > 0) && (
        <BaselineChanges preview={preview.data} isCurrent={isCurrent} error={preview.error} environment={environment} />
      )}
      {!isChanged && behind.length === 0 && rulesets.length > 0 && (
        <p className={classes.quiet}>
          {baselines.length === 0
            ? `Live there: ${rulesets.map(({ ruleset }) => ruleset).join(', ')}.`
            : `Every live ruleset includes them: ${rulesets.map(({ ruleset }) => ruleset).join(', ')}.`}
        </p>
      )}
      {mayWrite && (isChanged || behind.length > 0) && (
        <>
          {mustType && (
            <TextInput
              label={
                <>
                  {environment} is protected. Type <code>{environment}</code> to confirm
                </>
              }
              autoComplete="off"
              spellCheck={false}
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
            />
          )}
          {save.isError && <SaveFault error={save.error} />}
          <div className={classes.acts}>
            {isChanged && (
              <Button variant="default" onClick={() => setDraft(baselines)}>
                Leave them as they are
              </Button>
            )}
            <Button type="submit" disabled={!canSave} loading={save.isPending}>
              {wordsOfSave(isChanged, reached)}
            </Button>
          </div>
        </>
      )}
    </form>
  )
}

/** A refusal changed nothing; anything else may have changed some, and the page says how to go on. */
function SaveFault({ error }: { readonly error: unknown }) {
  const isRefused = error instanceof ApiProblem && error.status >= 400 && error.status < 500
  return (
    <Notice tone="bad">
      {wordsFor(error)}
      {!isRefused && ' Some rulesets may have been rolled out before it failed: confirm again to bring up the others.'}
    </Notice>
  )
}

type AddProps = { readonly draft: readonly Baseline[]; readonly onAdd: (baseline: Baseline) => void }

function Add({ draft, onAdd }: AddProps) {
  const { data } = useQuery(rulesetsQuery)
  const free = data?.items.filter(({ name }) => !draft.some(({ ruleset }) => ruleset === name)) ?? []
  if (data && data.items.length === 0) {
    return <p className={classes.quiet}>Write a ruleset first; any revision of it can be a baseline.</p>
  }
  return (
    <Select
      label="Add a ruleset"
      placeholder={free.length === 0 ? 'All of them are baselines already' : 'In its newest revision'}
      searchable
      disabled={free.length === 0 || draft.length >= 10}
      data={free.map(({ name, latest }) => ({ value: name, label: `${name} v${latest.version}` }))}
      value={null}
      onChange={(name) => {
        const chosen = free.find((one) => one.name === name)
        if (chosen) onAdd({ ruleset: chosen.name, version: chosen.latest.version })
      }}
    />
  )
}

function moved(draft: readonly Baseline[], at: number): readonly Baseline[] {
  const next = [...draft]
  next.splice(at - 1, 2, ...next.slice(at - 1, at + 1).toReversed())
  return next
}

function wordsOfSave(isChanged: boolean, reached: number): string {
  const rollout = reached === 0 ? '' : `roll out ${counted(reached, 'ruleset')}`
  if (!isChanged) return rollout === '' ? 'Bring them up' : `R${rollout.slice(1)}`
  return rollout === '' ? 'Change the baselines' : `Change them and ${rollout}`
}
