import { Button, Divider, PasswordInput, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { api } from '../../api/client.ts'
import { ApiProblem, wordsFor } from '../../api/problem.ts'
import { queryClient } from '../../api/query-client.ts'
import { sessionKey, sessionQuery, stepLeft, useMaybeSession } from '../../api/session.ts'
import { DoorPage } from '../../frame/door-page.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { Notice } from '../../ui/notice.tsx'
import { canUsePasskeys, enterWithPasskey } from '../account/passkey.ts'
import { ProveFactor } from '../account/prove-factor.tsx'
import { factorsQuery } from '../account/queries.ts'
import { ProviderButtons, waysQuery } from './provider-buttons.tsx'
import { reasonWords } from './reasons.ts'
import { signInRoute } from './route.ts'

export function SignInPage() {
  const { next, ended, error: reason } = signInRoute.useSearch()
  const ways = useQuery(waysQuery)
  const navigate = useNavigate()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const waitSeconds = useWait()
  const enter = {
    onSuccess: async (): Promise<void> => {
      queryClient.removeQueries({ queryKey: sessionKey })
      const session = await queryClient.fetchQuery(sessionQuery)
      if (session && stepLeft(session) === 'prove') return
      await navigate({ href: next ?? '/', replace: true })
    },
    onError: (error: Error): void => {
      if (error instanceof ApiProblem && error.retryAfterSeconds !== null) waitSeconds.start(error.retryAfterSeconds)
      setPassword('')
    },
  }
  const byPassword = useMutation({ mutationFn: () => api.post('/session', { email, password }), ...enter })
  const byPasskey = useMutation({ mutationFn: enterWithPasskey, ...enter })
  const [last, setLast] = useState<'password' | 'passkey'>('password')
  const signIn = last === 'password' ? byPassword : byPasskey
  const session = useMaybeSession()
  if (session && stepLeft(session) === 'prove') return <SecondStep next={next} />
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setLast('password')
    byPassword.mutate()
  }
  return (
    <DoorPage title="Sign in">
      {ended && !signIn.isError && <Notice tone="plain">Your session ended. Sign in to go on where you were.</Notice>}
      {reason && !signIn.isError && <Notice tone="bad">{reasonWords[reason]}</Notice>}
      {signIn.isError && (
        <Notice tone="bad">
          {waitSeconds.left > 0
            ? `Too many attempts from this address. You can try again in ${waitSeconds.left} s.`
            : wordsFor(signIn.error)}
        </Notice>
      )}
      <ProviderButtons ways={ways.data} next={next} />
      {ways.data?.password === false && ways.data.providers.length === 0 && (
        <Notice tone="care" title="Nobody can sign in here now">
          Passwords are switched off, and no identity provider is configured. Whoever runs the server configures one
          again, or lets an administrator in with <code>countersign people recover</code> on its machine.
        </Notice>
      )}
      {ways.data?.password !== false && (
        <form onSubmit={submit}>
          <TextInput
            label="Email"
            type="email"
            name="email"
            autoComplete="username"
            required
            withAsterisk={false}
            autoFocus
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password"
            name="password"
            autoComplete="current-password"
            required
            withAsterisk={false}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
          />
          <Button type="submit" fullWidth loading={byPassword.isPending} disabled={waitSeconds.left > 0}>
            Sign in
          </Button>
        </form>
      )}
      {ways.data?.password !== false && canUsePasskeys() && (
        <>
          <Divider label="or without a password" labelPosition="center" />
          <Button
            variant="default"
            fullWidth
            loading={byPasskey.isPending}
            disabled={waitSeconds.left > 0}
            onClick={() => {
              setLast('passkey')
              byPasskey.mutate()
            }}
          >
            Use a passkey
          </Button>
        </>
      )}
    </DoorPage>
  )
}

/** The password was right; now the factor. Whoever came to the wrong account can still turn back. */
function SecondStep({ next }: { readonly next: string | undefined }) {
  const navigate = useNavigate()
  const { data, error, isError, refetch } = useQuery({ ...factorsQuery, staleTime: 0 })
  const session = useMaybeSession()
  const enter = async (): Promise<void> => {
    queryClient.clear()
    await navigate({ href: next ?? '/', replace: true })
  }
  const leave = useMutation({
    mutationFn: () => api.delete('/session'),
    onSuccess: () => queryClient.setQueryData(sessionKey, null),
  })
  return (
    <DoorPage title="Confirm that it is you" lead={session?.person.email}>
      {isError && !data && (
        <Failed what="Your factors could not be read" error={error} onRetry={() => void refetch()} />
      )}
      {!data && !isError && <Loading rows={2} />}
      {data && <ProveFactor status={data} mayTrust onProven={() => void enter()} />}
      <Button variant="subtle" size="compact-sm" loading={leave.isPending} onClick={() => leave.mutate()}>
        Sign in as somebody else
      </Button>
    </DoorPage>
  )
}

/** Counts down the seconds the server asked to wait. */
function useWait(): { readonly left: number; readonly start: (seconds: number) => void } {
  const [left, setLeft] = useState(0)
  useEffect(() => {
    if (left <= 0) return
    const timer = setTimeout(() => setLeft(left - 1), 1000)
    return () => clearTimeout(timer)
  }, [left])
  return { left, start: setLeft }
}
