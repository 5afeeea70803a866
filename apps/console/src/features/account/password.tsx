import { Button, PasswordInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { fieldErrors, wordsFor } from '../../api/problem.ts'
import groups from '../../ui/groups.module.css'
import { Notice } from '../../ui/notice.tsx'
import { passwordFault, passwordLengthMin } from '../../ui/password.ts'
import { tell } from '../../ui/tell.tsx'
import classes from './account.module.css'

export function Password() {
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
    <section className={groups.group} id="password" aria-label="Password">
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
