import { Button, Modal, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { ConfirmDestructive } from '../../ui/confirm-destructive.tsx'
import { Notice } from '../../ui/notice.tsx'
import { tell } from '../../ui/tell.tsx'
import { LinkOnce } from './link-once.tsx'
import classes from './people.module.css'
import { pathOf } from './queries.ts'
import type { Invitation, Person } from './types.ts'

type Act = {
  readonly title: string
  readonly word: string
  readonly help: string
  readonly done: string
  readonly method: 'POST' | 'DELETE'
  readonly path: string
  readonly takesReason: boolean
}

/** What can be done to somebody as they stand now, mildest first. */
function actsOn({ status }: Person): readonly Act[] {
  const act = (
    method: 'POST' | 'DELETE',
    path: string,
    takesReason: boolean,
    words: Pick<Act, 'title' | 'word' | 'help' | 'done'>,
  ): Act => ({ method, path, takesReason, ...words })
  return [
    status === 'locked'
      ? act('DELETE', 'lock', false, {
          title: 'Lift the lock',
          word: 'Unlock',
          help: 'They can sign in again at once.',
          done: 'can sign in again',
        })
      : act('POST', 'lock', true, {
          title: 'Lock',
          word: 'Lock',
          help: 'Keeps them from signing in and ends their sessions; API tokens of theirs stop.',
          done: 'is locked',
        }),
    status === 'suspended'
      ? act('DELETE', 'suspension', false, {
          title: 'Lift the suspension',
          word: 'Lift',
          help: 'They can sign in again, with the roles they had.',
          done: 'is no longer suspended',
        })
      : act('POST', 'suspension', true, {
          title: 'Suspend',
          word: 'Suspend',
          help: 'Until somebody lifts it: no sign-in, no session, no API token of theirs.',
          done: 'is suspended',
        }),
    act('POST', 'factors/unlock', false, {
      title: 'Let them try again',
      word: 'Reset attempts',
      help: 'After too many wrong codes of a second factor.',
      done: 'can try a second factor again',
    }),
    act('POST', 'factors/reset', false, {
      title: 'Remove all second factors',
      word: 'Reset factors',
      help: 'For somebody who lost them: they are removed, sessions end, and the person is told at the next sign-in.',
      done: 'has no second factor any more',
    }),
  ]
}

export function PersonActs({ person }: { readonly person: Person }) {
  const [asked, setAsked] = useState<Act | null>(null)
  const [isRemoving, setRemoving] = useState(false)
  return (
    <section className={classes.section} aria-label="Sharp acts">
      <h2>Access</h2>
      <NewLink person={person} />
      {actsOn(person).map((act) => (
        <div key={act.title} className={classes.row}>
          <div className={classes.words}>
            <h3>{act.title}</h3>
            <p>{act.help}</p>
          </div>
          <Button variant="default" onClick={() => setAsked(act)}>
            {act.word}
          </Button>
        </div>
      ))}
      <div className={classes.row}>
        <div className={classes.words}>
          <h3>Remove</h3>
          <p>They can no longer sign in; what they did stays in the trail under their address.</p>
        </div>
        <Button variant="default" className={classes.sharp} onClick={() => setRemoving(true)}>
          Remove
        </Button>
      </div>
      {asked && <Ask person={person} act={asked} onClose={() => setAsked(null)} />}
      <Remove person={person} isOpen={isRemoving} onClose={() => setRemoving(false)} />
    </section>
  )
}

type AskProps = { readonly person: Person; readonly act: Act; readonly onClose: () => void }

function Ask({ person: { id, email }, act, onClose }: AskProps) {
  const client = useQueryClient()
  const [reason, setReason] = useState('')
  const run = useMutation({
    mutationFn: () =>
      act.method === 'DELETE'
        ? api.delete(`${pathOf(id)}/${act.path}`)
        : api.post(`${pathOf(id)}/${act.path}`, act.takesReason ? { reason: reason.trim() } : undefined),
    onSuccess: () => {
      tell(`${email} ${act.done}`)
      onClose()
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['people'] }),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (!act.takesReason || reason.trim() !== '') run.mutate()
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={`${act.title}: ${email}`}
      size={480}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form className={classes.form} onSubmit={submit}>
        <p className={classes.lead}>{act.help}</p>
        {act.takesReason && (
          <TextInput
            label="Reason"
            description="Shown on this page and kept in the trail."
            required
            withAsterisk={false}
            maxLength={400}
            data-autofocus
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
        )}
        {run.isError && <Notice tone="bad">{wordsFor(run.error)}</Notice>}
        <div className={classes.acts}>
          <Button variant="default" onClick={onClose}>
            Leave it
          </Button>
          <Button type="submit" loading={run.isPending} disabled={act.takesReason && reason.trim() === ''}>
            {act.word}
          </Button>
        </div>
      </form>
    </Modal>
  )
}

function NewLink({ person: { id, email, status } }: { readonly person: Person }) {
  const client = useQueryClient()
  const [made, setMade] = useState<Invitation | null>(null)
  const make = useMutation({
    mutationFn: () => api.post<Invitation>(`${pathOf(id)}/link`),
    onSuccess: setMade,
    onSettled: () => client.invalidateQueries({ queryKey: ['people'] }),
  })
  const isInvited = status === 'invited'
  return (
    <>
      <div className={classes.row}>
        <div className={classes.words}>
          <h3>{isInvited ? 'Make the invitation anew' : 'Set a new password'}</h3>
          <p>
            {isInvited ? 'The earlier link stops working.' : 'Makes a link with which they set a new password once.'}
          </p>
        </div>
        <Button variant="default" loading={make.isPending} onClick={() => make.mutate()}>
          Make a link
        </Button>
      </div>
      {make.isError && <Notice tone="bad">{wordsFor(make.error)}</Notice>}
      <Modal
        opened={made !== null}
        onClose={() => setMade(null)}
        title="Copy the link now"
        size={560}
        closeOnEscape={false}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {made && <LinkOnce invitation={made} who={email} onDone={() => setMade(null)} />}
      </Modal>
    </>
  )
}

type RemoveProps = { readonly person: Person; readonly isOpen: boolean; readonly onClose: () => void }

function Remove({ person: { id, email }, isOpen, onClose }: RemoveProps) {
  const client = useQueryClient()
  const navigate = useNavigate()
  const remove = useMutation({
    mutationFn: () => api.delete(pathOf(id)),
    onSuccess: async () => {
      tell(`${email} was removed`, 'What they did stays in the trail.')
      await navigate({ to: '/people', search: ({ environment }) => ({ environment }) })
      client.removeQueries({ queryKey: ['people', 'one', id] })
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['people', 'list'] }),
  })
  return (
    <ConfirmDestructive
      isOpen={isOpen}
      onClose={onClose}
      title={`Remove ${email}`}
      name={email}
      action="Remove the person"
      onConfirm={() => remove.mutate()}
      isBusy={remove.isPending}
      error={remove.error}
    >
      <p>Their sessions end at once and their API tokens stop. It cannot be undone; they can be invited anew.</p>
    </ConfirmDestructive>
  )
}
