import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { ApiProblem, fieldErrors, wordsFor } from '../../api/problem.ts'
import { queryClient } from '../../api/query-client.ts'
import { DoorPage } from '../../frame/door-page.tsx'
import { Notice } from '../../ui/notice.tsx'
import { passwordFault, passwordLengthMin } from './password.ts'
import { setupRoute } from './route.ts'

export function SetupPage() {
  const search = setupRoute.useSearch()
  const navigate = useNavigate()
  const [token, setToken] = useState(search.token ?? '')
  const [tenantName, setTenantName] = useState('')
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [repeated, setRepeated] = useState('')
  const [isTried, setTried] = useState(false)
  const setUp = useMutation({
    mutationFn: async () => {
      const named = tenantName.trim() === '' ? {} : { tenant_name: tenantName.trim() }
      await api.post('/setup', { token: token.trim(), email, password, ...named })
      await api.post('/session', { email, password })
    },
    onSuccess: async () => {
      queryClient.clear()
      await navigate({ to: '/', replace: true })
    },
  })
  const faults = fieldErrors(setUp.error)
  const fault = passwordFault(password)
  const isRefusedToken = setUp.error instanceof ApiProblem && [401, 403].includes(setUp.error.status)
  const isDone = setUp.error instanceof ApiProblem && setUp.error.status === 409
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setTried(true)
    if (fault === null && repeated === password) setUp.mutate()
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
        <PasswordInput
          label="Password"
          description={`At least ${passwordLengthMin} characters. Four random words do well.`}
          name="new-password"
          autoComplete="new-password"
          required
          withAsterisk={false}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          error={faults['password'] ?? (isTried && fault)}
          visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
        />
        <PasswordInput
          label="Password again"
          autoComplete="new-password"
          required
          withAsterisk={false}
          value={repeated}
          onChange={(event) => setRepeated(event.currentTarget.value)}
          error={isTried && repeated !== password && 'The two passwords differ.'}
          visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the repeated password' }}
        />
        <Button type="submit" fullWidth loading={setUp.isPending}>
          Create the administrator
        </Button>
      </form>
    </DoorPage>
  )
}
