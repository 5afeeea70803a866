import type { Hold } from '@countersign/wire'
import { Button, Modal, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useCan } from '../../api/session.ts'
import { ConfirmDestructive } from '../../ui/confirm-destructive.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { Notice } from '../../ui/notice.tsx'
import { counted } from '../../ui/numbers.ts'
import { tell } from '../../ui/tell.tsx'
import ui from '../../ui/ui.module.css'
import classes from './anchors.module.css'
import { holdsQuery } from './queries.ts'
import { holdWords } from './words.ts'

/** Legal holds: what keeps entries whatever their age. */
export function Holds() {
  const holds = useQuery(holdsQuery)
  const mayManage = useCan('trail:manage')
  const standing = holds.data?.items.filter(({ lifted_at }) => lifted_at === null) ?? []
  const lifted = holds.data?.items.filter(({ lifted_at }) => lifted_at !== null) ?? []
  return (
    <section aria-label="Legal holds">
      <div className={classes.head}>
        <h2>Legal holds</h2>
        {mayManage && <PlaceHold />}
      </div>
      {holds.isPending && <Loading rows={2} />}
      {holds.isError && !holds.data && (
        <Failed what="The holds could not be read" error={holds.error} onRetry={() => void holds.refetch()} />
      )}
      {holds.data && standing.length === 0 && (
        <p className={ui.quiet}>
          Nothing is held. A hold keeps the entries of a time, whatever their age, until somebody lifts it: for a
          dispute or an inquiry.
        </p>
      )}
      {standing.length > 0 && (
        <ul className={classes.holds}>
          {standing.map((hold) => (
            <HoldLine key={hold.id} hold={hold} mayLift={mayManage} />
          ))}
        </ul>
      )}
      {lifted.length > 0 && (
        <details className={classes.lifted}>
          <summary>{counted(lifted.length, 'hold')} lifted</summary>
          <ul className={classes.holds}>
            {lifted.map((hold) => (
              <HoldLine key={hold.id} hold={hold} mayLift={false} />
            ))}
          </ul>
        </details>
      )}
    </section>
  )
}

function HoldLine({ hold, mayLift }: { readonly hold: Hold; readonly mayLift: boolean }) {
  return (
    <li className={classes.hold}>
      <div className={classes.holdWords}>
        <span>{hold.reason}</span>
        <span className={ui.faint}>
          {holdWords(hold)} · placed <Instant at={hold.placed_at} />
          {hold.placed_by.name !== null && ` by ${hold.placed_by.name}`}
          {hold.lifted_at !== null && (
            <>
              {' '}
              · lifted <Instant at={hold.lifted_at} />
              {hold.lifted_by?.name != null && ` by ${hold.lifted_by.name}`}
            </>
          )}
        </span>
      </div>
      {mayLift && <LiftHold hold={hold} />}
    </li>
  )
}

function LiftHold({ hold: { id, reason } }: { readonly hold: Hold }) {
  const client = useQueryClient()
  const [isOpen, setOpen] = useState(false)
  const lift = useMutation({
    mutationFn: () => api.post<Hold>(`/trail/holds/${id}/lift`, { confirm: id }),
    onSuccess: () => {
      setOpen(false)
      tell('The hold is lifted', 'What has expired is archived and removed again.')
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['anchors'] }),
  })
  return (
    <>
      <Button variant="default" size="compact-sm" onClick={() => setOpen(true)}>
        Lift
      </Button>
      <ConfirmDestructive
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        title="Lift a legal hold"
        name={id.slice(-12)}
        action="Lift the hold"
        onConfirm={() => lift.mutate()}
        isBusy={lift.isPending}
        error={lift.error}
      >
        <p>
          It was placed for: {reason}. Entries it keeps, as far as they have expired and no other hold keeps them, are
          archived and removed within minutes.
        </p>
      </ConfirmDestructive>
    </>
  )
}

function PlaceHold() {
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <Button variant="default" size="compact-sm" onClick={() => setOpen(true)}>
        Place a hold
      </Button>
      <Modal
        opened={isOpen}
        onClose={() => setOpen(false)}
        title="Place a legal hold"
        size={460}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {isOpen && <HoldForm onDone={() => setOpen(false)} />}
      </Modal>
    </>
  )
}

function HoldForm({ onDone }: { readonly onDone: () => void }) {
  const client = useQueryClient()
  const [reason, setReason] = useState('')
  const [from, setFrom] = useState('')
  const [until, setUntil] = useState('')
  const place = useMutation({
    mutationFn: () => api.post<Hold>('/trail/holds', { reason, from: startOf(from), until: endOf(until) }),
    onSuccess: () => {
      onDone()
      tell('The hold stands', 'Entries of its time are not removed until it is lifted.')
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['anchors'] }),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    place.mutate()
  }
  return (
    <form className={classes.form} onSubmit={submit}>
      <Textarea
        label="Why"
        description="The case, or who asked for it. It is recorded for ever, so no names of people."
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        maxLength={500}
        required
        withAsterisk={false}
        autosize
        data-autofocus
      />
      <div className={classes.dates}>
        <TextInput
          label="Entries from"
          description="Empty: from the beginning"
          type="date"
          value={from}
          onChange={(event) => setFrom(event.currentTarget.value)}
        />
        <TextInput
          label="Through"
          description="Empty: also those to come"
          type="date"
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
        />
      </div>
      <p className={ui.quiet}>Days are those of UTC.</p>
      {place.isError && <Notice tone="bad">{wordsFor(place.error)}</Notice>}
      <div className={classes.acts}>
        <Button type="submit" loading={place.isPending} disabled={reason.trim() === ''}>
          Place the hold
        </Button>
      </div>
    </form>
  )
}

const startOf = (day: string): string | null => (day === '' ? null : `${day}T00:00:00.000Z`)

/** The last day is held too, and the end is the first moment that is not. */
const endOf = (day: string): string | null =>
  day === '' ? null : new Date(Date.parse(`${day}T00:00:00.000Z`) + 86_400_000).toISOString()
