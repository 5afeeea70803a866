import type { Rollout } from '@countersign/wire'
import { Button, Modal, Textarea } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { Notice } from '../../ui/notice.tsx'
import { counted } from '../../ui/numbers.ts'
import { pathOf } from './queries.ts'
import { previewQuery } from './rollout-queries.ts'
import classes from './rollouts.module.css'
import { SemanticDiff } from './semantic-diff.tsx'

type Props = {
  readonly name: string
  readonly environment: string
  readonly from: number
  readonly to: number
  readonly onClose: () => void
  readonly onDone: (rolloutId: string) => void
}

/** The way back must be short: what it undoes, a reason, one press. */
export function RollBack({ name, environment, from, to, onClose, onDone }: Props) {
  const client = useQueryClient()
  const [reason, setReason] = useState('')
  const [isMissing, setMissing] = useState(false)
  const preview = useQuery(previewQuery(name, to, environment))
  const back = useMutation({
    mutationFn: () =>
      api.post<Rollout>(`${pathOf(name)}/rollouts`, {
        version: to,
        environment,
        kind: 'rollback',
        note: reason.trim(),
        expected_current_version: from,
      }),
    onSuccess: async ({ id }) => {
      await client.invalidateQueries({ queryKey: ['rulesets'] })
      onClose()
      onDone(id)
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['rollouts'] }),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const isEmpty = reason.trim() === ''
    setMissing(isEmpty)
    if (!isEmpty) back.mutate()
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Roll ${environment} back to v${to}`}
      size={620}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form className={classes.form} onSubmit={submit} noValidate>
        <p className={classes.lead}>
          v{to} is signed anew and takes the place of v{from}.{' '}
          {preview.data &&
            (preview.data.connected_count === 0
              ? 'No agent is connected now; those that follow it get it when they return.'
              : `${counted(preview.data.connected_count, 'connected agent')} ${preview.data.connected_count === 1 ? 'gets' : 'get'} it at once.`)}
        </p>
        <Textarea
          label="Reason"
          placeholder="v2 blocks refunds that are fine"
          maxLength={2000}
          autosize
          minRows={2}
          data-autofocus
          description="Why, for the history and the trail."
          required
          error={isMissing && 'Say why: whoever reads the history will ask.'}
          value={reason}
          onChange={(event) => {
            setReason(event.currentTarget.value)
            setMissing(false)
          }}
        />
        {preview.data?.semantic && (
          <details className={classes.details}>
            <summary>What changes</summary>
            <SemanticDiff diff={preview.data.semantic} />
          </details>
        )}
        {back.isError && <Notice tone="bad">{wordsFor(back.error)}</Notice>}
        <div className={classes.formActs}>
          <Button variant="default" onClick={onClose}>
            Keep v{from}
          </Button>
          <Button type="submit" loading={back.isPending}>
            Roll back to v{to}
          </Button>
        </div>
      </form>
    </Modal>
  )
}
