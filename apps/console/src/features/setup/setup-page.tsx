import { Button, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { ApiProblem, fieldErrors, wordsFor } from '../../api/problem.ts'
import { queryClient } from '../../api/query-client.ts'
import { DoorPage } from '../../frame/door-page.tsx'
import { isGoodPassword, NewPassword, nothingTyped } from '../../ui/new-password.tsx'
import { Notice } from '../../ui/notice.tsx'
import { setupRoute } from './route.ts'

export function SetupPage() {
  const search = setupRoute.useSearch()
  const navigate = useNavigate()
  const [token, setToken] = useState(search.token ?? '')
  const [tenantName, setTenantName] = useState('')
  const [email, setEmail] = useState('')
  const [typed, setTyped] = useState(nothingTyped)
  const [isTried, setTried] = useState(false)
  const setUp = useMutation({
    mutationFn: async () => {
      const named = tenantName.trim() === '' ? {} : { tenant_name: tenantName.trim() }
      await api.post('/setup', { token: token.trim(), email, password: typed.password, ...named })
      await api.post('/session', { email, password: typed.password })
    },
    onSuccess: async () => {
      queryClient.clear()
      await navigate({ to: '/', replace: true })
    },
  })
  const faults = fieldErrors(setUp.error)
  const isRefusedToken = setUp.error instanceof ApiProblem && [401, 403].includes(setUp.error.status)
  const isDone = setUp.error instanceof ApiProblem && setUp.error.status === 409
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setTried(true)
    if (isGoodPassword(typed)) setUp.mutate()
  }
  return (
    <DoorPage
      title="Set up this server"
      lead="Make the first administrator. This page works once; afterwards it is closed for good."
    >
      {setUp.isError && (
        <Notice tone="bad">
          {wordsFor(setUp.error)}
          {isRefusedToken && ' The current link is in the server’s start-up lines; each start prints a new one.'}
          {isDone && ' Sign in instead.'}
        </Notice>
      )}
      <form onSubmit={submit}>
        {search.token === undefined && (
          <TextInput
            label="Set-up token"
            description="The last part of the link that the server printed when it started."
            required
            withAsterisk={false}
            autoComplete="off"
            spellCheck={false}
            value={token}
            onChange={(event) => setToken(event.currentTarget.value)}
            error={faults['token']}
          />
        )}
        <TextInput
          label="Organization"
          placeholder="Default"
          maxLength={100}
          value={tenantName}
          onChange={(event) => setTenantName(event.currentTarget.value)}
          error={faults['tenant_name']}
        />
        <TextInput
          label="Your email"
          type="email"
          name="email"
          autoComplete="username"
          required
          withAsterisk={false}
          autoFocus
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          error={faults['email']}
        />
        <NewPassword typed={typed} onChange={setTyped} isTried={isTried} fault={faults['password']} />
        <Button type="submit" fullWidth loading={setUp.isPending}>
          Create the administrator
        </Button>
      </form>
    </DoorPage>
  )
}
