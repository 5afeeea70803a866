import { Button, PasswordInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { fieldErrors, wordsFor } from '../../api/problem.ts'
import type { SessionRow } from '../../api/types.ts'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { Notice } from '../../ui/notice.tsx'
import { tell, tellFailure } from '../../ui/tell.tsx'
import { passwordFault, passwordLengthMin } from '../setup/password.ts'
import { deviceWords } from './device.ts'
import { sessionsQuery } from './queries.ts'
import classes from './settings.module.css'

export function Sessions() {
  const { data, error, isError, refetch } = useQuery(sessionsQuery)
  const client = useQueryClient()
  const end = useMutation({
    mutationFn: (id: string | null) => api.delete(id === null ? '/sessions' : `/sessions/${id}`),
    onSuccess: (_answer, id) => tell(id === null ? 'Signed out everywhere else' : 'That session was ended'),
    onError: (failure) => tellFailure('The session was not ended', wordsFor(failure)),
    onSettled: () => client.invalidateQueries({ queryKey: ['sessions'] }),
  })
  if (isError && !data)
    return <Failed what="Your sessions could not be read" error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading rows={3} rowHeight={56} />
  return (
    <>
      <section className={classes.group} aria-label="Your sessions">
        <div className={classes.headLine}>
          <h2>Where you are signed in</h2>
          {data.items.length > 1 && (
            <Button variant="default" loading={end.isPending} onClick={() => end.mutate(null)}>
              Sign out everywhere else
            </Button>
          )}
        </div>
        {data.items.map((row) => (
          <Row key={row.id} row={row} isBusy={end.isPending} onEnd={() => end.mutate(row.id)} />
        ))}
      </section>
      <Password />
    </>
  )
}

type RowProps = { readonly row: SessionRow; readonly isBusy: boolean; readonly onEnd: () => void }

function Row({ row, isBusy, onEnd }: RowProps) {
  return (
    <div className={classes.row}>
      <div className={classes.words}>
        <h3 title={row.user_agent}>
          {deviceWords(row.user_agent)}
          {row.is_current && <span className={classes.here}>this one</span>}
        </h3>
        <p>
          {row.address} · last used <Instant at={row.last_seen_at} /> · ends at the latest{' '}
          <Instant at={row.expires_at} />
        </p>
      </div>
      {!row.is_current && (
        <Button variant="default" disabled={isBusy} onClick={onEnd}>
          End
        </Button>
      )}
    </div>
  )
}

function Password() {
  const [current, setCurrent] = useState('')
  const [wanted, setWanted] = useState('')
  const [isTried, setTried] = useState(false)
  const client = useQueryClient()
  const change = useMutation({
    mutationFn: () => api.put('/session/password', { current_password: current, new_password: wanted }),
    onSuccess: () => {
      tell('The password was changed', 'Your other sessions were ended.')
      setCurrent('')
      setWanted('')
      setTried(false)
      return client.invalidateQueries({ queryKey: ['sessions'] })
    },
  })
  const faults = fieldErrors(change.error)
  const fault = passwordFault(wanted)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setTried(true)
    if (fault === null) change.mutate()
  }
  const toggle = { 'aria-label': 'Show or hide the password' }
  return (
    <section className={classes.group} aria-label="Password">
      <h2>Password</h2>
      <form className={classes.form} onSubmit={submit}>
        {change.isError && Object.keys(faults).length === 0 && <Notice tone="bad">{wordsFor(change.error)}</Notice>}
        <PasswordInput
          label="Current password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={current}
          onChange={(event) => setCurrent(event.currentTarget.value)}
          error={faults['current_password']}
          visibilityToggleButtonProps={toggle}
        />
        <PasswordInput
          label="New password"
          description={`At least ${passwordLengthMin} characters.`}
          autoComplete="new-password"
          required
          withAsterisk={false}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
          error={faults['new_password'] ?? (isTried && fault)}
          visibilityToggleButtonProps={toggle}
        />
        <div>
          <Button type="submit" loading={change.isPending} disabled={current === '' || wanted === ''}>
            Change the password
          </Button>
        </div>
      </form>
    </section>
  )
}
