import type { RolloutPreview, RolloutTrial } from '@countersign/wire'
import { Button, NumberInput, Select, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { ApiProblem, wordsFor } from '../../api/problem.ts'
import { Notice } from '../../ui/notice.tsx'
import { pathOf } from './queries.ts'
import classes from './rollouts.module.css'
import { conditionWords, minutesOf, type Span, spans } from './trial-words.ts'

type Props = { readonly preview: RolloutPreview; readonly onStarted: (trial: RolloutTrial) => void }

/** The new and changed rules only watch at first, and take effect by themselves when what is stated here holds. */
export function ObserveFirst({ preview, onStarted }: Props) {
  const { ruleset, version, environment, is_protected } = preview
  const client = useQueryClient()
  const [count, setCount] = useState<number | string>(24)
  const [span, setSpan] = useState<Span>('hours')
  const [most, setMost] = useState<number | string>(0)
  const [typed, setTyped] = useState('')
  const minutes = minutesOf(count, span)
  const canStart = minutes !== undefined && most !== '' && (!is_protected || typed === environment)
  const start = useMutation({
    mutationFn: () =>
      api.post<RolloutTrial>(`${pathOf(ruleset)}/trials`, {
        version,
        environment,
        minutes,
        would_block_max: Number(most),
      }),
    onSuccess: onStarted,
    onSettled: () =>
      client.invalidateQueries({
        predicate: ({ queryKey }) => ['trials', 'rulesets', 'rollouts'].includes(String(queryKey[0])),
      }),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (canStart) start.mutate()
  }
  return (
    <form className={classes.fields} aria-label="Observe first" onSubmit={submit}>
      <p className={classes.quiet}>
        Rules of v{version} that are new or changed only report what they would stop; the others stay as they are.
      </p>
      <div className={classes.span}>
        <NumberInput
          label="Observe for"
          min={1}
          allowDecimal={false}
          hideControls
          value={count}
          onChange={setCount}
          error={minutes === undefined ? 'From 1 minute to 30 days' : undefined}
        />
        <Select
          aria-label="Minutes, hours or days"
          data={spans.map(({ value, label }) => ({ value, label }))}
          value={span}
          onChange={(value) => setSpan(spans.find((one) => one.value === value)?.value ?? 'hours')}
        />
      </div>
      <NumberInput
        label="Calls it may stop"
        description={`Then it enforces by itself, if ${conditionWords(Number(most))}. Otherwise it waits for a person.`}
        min={0}
        max={1_000_000}
        allowDecimal={false}
        hideControls
        value={most}
        onChange={setMost}
      />
      {is_protected && (
        <TextInput
          label={
            <>
              Type <code>{environment}</code> to confirm
            </>
          }
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      )}
      {start.isError && <StartFault error={start.error} />}
      <Button type="submit" fullWidth disabled={!canStart} loading={start.isPending}>
        Observe v{version} in {environment}
      </Button>
    </form>
  )
}

/** A refusal changed nothing. Anything else may have ended half-way, and asking again goes on from there. */
function StartFault({ error }: { readonly error: unknown }) {
  const isRefused = error instanceof ApiProblem && error.status >= 400 && error.status < 500
  return (
    <Notice tone="bad">
      {wordsFor(error)}
      {!isRefused && ' If the history below shows it observing already, ask again: it goes on with that revision.'}
    </Notice>
  )
}
