import { Button, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { ApiProblem, fieldErrors, wordsFor } from '../../api/problem.ts'
import { queryClient } from '../../api/query-client.ts'
import { DoorPage } from '../../frame/door-page.tsx'
import { isGoodPassword, NewPassword, nothingTyped } from '../../ui/new-password.tsx'
import { Notice } from '../../ui/notice.tsx'
import { ProviderButtons, waysQuery } from '../sign-in/provider-buttons.tsx'
import type { LinkState } from './types.ts'

/** What stands behind `#` never leaves the browser by itself: no server and no proxy writes it down. */
function secretInAddress(): string {
  return window.location.hash.slice(1)
}

/** Whoever has the link says their name and a password, and is signed in. */
export function JoinPage() {
  const [link] = useState(secretInAddress)
  const state = useQuery({
    queryKey: ['link'],
    queryFn: () => api.post<LinkState>('/links/state', { link }),
    enabled: link !== '',
    retry: false,
  })
  if (link === '' || state.isError) {
    if (state.error instanceof ApiProblem && state.error.code === 'forbidden') return <OnlyProviders />
    return (
      <DoorPage
        title="This link does not work"
        lead="It was used already, has ended, or was cut off when it was copied."
      >
        <Notice tone="bad">
          {state.isError ? wordsFor(state.error) : 'The part behind # is missing: copy the whole link.'}
        </Notice>
      </DoorPage>
    )
  }
  if (!state.data) return <DoorPage title="One moment">{null}</DoorPage>
  return <Join link={link} state={state.data} />
}

/** The link is good, but a password of ours lets nobody in: signing in at a provider takes an invitation up. */
function OnlyProviders() {
  const ways = useQuery(waysQuery)
  return (
    <DoorPage
      title="Sign in with your identity provider"
      lead="Passwords are switched off here. Sign in with the address you were invited with: that takes the invitation up."
    >
      {/* Others of this server may still use passwords. */}
      <ProviderButtons ways={ways.data && { ...ways.data, password: false }} next={undefined} />
      {ways.data?.providers.length === 0 && (
        <Notice tone="care">No identity provider is configured. Ask whoever runs the server.</Notice>
      )}
      {ways.isError && <Notice tone="bad">{wordsFor(ways.error)}</Notice>}
    </DoorPage>
  )
}

function Join({ link, state }: { readonly link: string; readonly state: LinkState }) {
  const navigate = useNavigate()
  const isInvitation = state.purpose === 'invitation'
  const isRecovery = state.purpose === 'recovery'
  const ways = useQuery(waysQuery)
  const byProvider = isInvitation && (ways.data?.providers.length ?? 0) > 0
  const [name, setName] = useState(state.name === state.email ? '' : state.name)
  const [typed, setTyped] = useState(nothingTyped)
  const [isTried, setTried] = useState(false)
  const accept = useMutation({
    mutationFn: () =>
      api.post('/links/acceptance', {
        link,
        password: typed.password,
        ...(isInvitation && name.trim() !== '' && { name: name.trim() }),
      }),
    onSuccess: async () => {
      queryClient.clear()
      // Out of the history too: the link is spent, and nobody should find it there.
      await navigate({ to: '/', hash: '', replace: true })
    },
  })
  const faults = fieldErrors(accept.error)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setTried(true)
    if (isGoodPassword(typed)) accept.mutate()
  }
  return (
    <DoorPage
      title={isInvitation ? `Join ${state.tenant}` : isRecovery ? 'Get back in' : 'Set a new password'}
      lead={`You are ${state.email}. ${byProvider ? 'Sign in with that address, or choose' : 'Choose'} a password; this link then stops working.`}
    >
      {accept.isError && Object.keys(faults).length === 0 && <Notice tone="bad">{wordsFor(accept.error)}</Notice>}
      {byProvider && <ProviderButtons ways={ways.data} next={undefined} />}
      {isRecovery && ways.data?.password === false && (
        <Notice tone="care">
          Passwords are switched off here, and stay so. Once you are in, switch them on under Settings, or mend the
          identity provider, before you sign out.
        </Notice>
      )}
      <form onSubmit={submit}>
        <input type="hidden" name="email" autoComplete="username" value={state.email} readOnly />
        {isInvitation && (
          <TextInput
            label="Your name"
            autoComplete="name"
            maxLength={120}
            autoFocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={faults['name']}
          />
        )}
        <NewPassword typed={typed} onChange={setTyped} isTried={isTried} fault={faults['password']} />
        <Button type="submit" fullWidth loading={accept.isPending}>
          {isInvitation ? 'Join' : isRecovery ? 'Set the password and sign in' : 'Set the password'}
        </Button>
      </form>
    </DoorPage>
  )
}
