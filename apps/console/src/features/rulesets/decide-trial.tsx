import type { RolloutTrial } from '@countersign/wire'
import { Button, Modal, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useEnvironments } from '../../api/session.ts'
import { Notice } from '../../ui/notice.tsx'
import { counted } from '../../ui/numbers.ts'
import { tell } from '../../ui/tell.tsx'
import classes from './rollouts.module.css'
import { tallyWords } from './trial-words.ts'

type Props = {
  readonly trial: RolloutTrial
  readonly act: 'promotion' | 'cancellation'
  readonly onClose: () => void
}

/** Before its condition decides, a person may: to enforce at once, or not at all. */
export function DecideTrial({ trial, act, onClose }: Props) {
  const { id, ruleset, environment, version, trial_version, rules } = trial
  const client = useQueryClient()
  const isPromotion = act === 'promotion'
  const isProtected = useEnvironments().some(({ name, is_protected }) => name === environment && is_protected)
  const [note, setNote] = useState('')
  const [typed, setTyped] = useState('')
  const decide = useMutation({
    mutationFn: () => api.post<RolloutTrial>(`/trials/${id}/${act}`, isPromotion ? { note: note.trim() } : undefined),
    onSuccess: () => {
      if (isPromotion) tell(`${ruleset} v${version} enforces in ${environment}`, 'Its agents are told at once.')
      else
        tell('It will not enforce by itself', `v${trial_version} stays live and observes; roll back to take it away.`)
      onClose()
    },
    onSettled: () =>
      client.invalidateQueries({
        predicate: ({ queryKey }) => ['trials', 'rulesets', 'rollouts'].includes(String(queryKey[0])),
      }),
  })
  const canDecide = !isPromotion || !isProtected || typed === environment
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (canDecide) decide.mutate()
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={
        isPromotion ? `Enforce ${ruleset} v${version} in ${environment}` : `Abandon the trial of ${ruleset} v${version}`
      }
      size={480}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form className={classes.form} onSubmit={submit}>
        <p className={classes.lead}>
          {isPromotion
            ? `${counted(rules.length, 'rule')} that only ${rules.length === 1 ? 'watches' : 'watch'} now ${rules.length === 1 ? 'takes' : 'take'} effect. ${tallyWords(trial)}.`
            : `v${trial_version} stays live in ${environment} with ${counted(rules.length, 'rule')} only observing, and nothing enforces by itself any more. To take it away, roll back.`}
        </p>
        {isPromotion && (
          <Textarea
            label="Note"
            description="Why, for the history and the trail."
            maxLength={2000}
            autosize
            minRows={2}
            data-autofocus
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
          />
        )}
        {isPromotion && isProtected && (
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
        {decide.isError && <Notice tone="bad">{wordsFor(decide.error)}</Notice>}
        <div className={classes.formActs}>
          <Button variant="default" onClick={onClose}>
            {decide.isError ? 'Close' : 'Go on observing'}
          </Button>
          <Button type="submit" disabled={!canDecide} loading={decide.isPending}>
            {isPromotion ? 'Enforce now' : 'Abandon'}
          </Button>
        </div>
      </form>
    </Modal>
  )
}
