import { Button, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useSession } from '../../api/session.ts'
import type { WaitingCommandLine } from '../../api/types.ts'
import { DoorPage } from '../../frame/door-page.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Notice } from '../../ui/notice.tsx'
import classes from './cli-sign-in.module.css'
import { cliSignInRoute } from './route.ts'

/** Somebody's command line waits: whoever is signed in sees which, compares the code, and lets it in or not. */
export function CliSignInPage() {
  const { code } = cliSignInRoute.useSearch()
  return code === undefined ? <TypeCode /> : <Decide key={code} code={code} />
}

function TypeCode() {
  const navigate = cliSignInRoute.useNavigate()
  const [typed, setTyped] = useState('')
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (typed.trim() !== '') void navigate({ search: { code: typed.trim() } })
  }
  return (
    <DoorPage title="Sign a command line in" lead="Type the code it shows.">
      <form onSubmit={submit}>
        <TextInput
          label="Code"
          placeholder="BCDF-GHJK"
          autoComplete="off"
          autoFocus
          maxLength={40}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Button type="submit" fullWidth>
          Go on
        </Button>
      </form>
    </DoorPage>
  )
}

function Decide({ code }: { readonly code: string }) {
  const navigate = cliSignInRoute.useNavigate()
  const { person } = useSession()
  const waiting = useQuery({
    queryKey: ['cli-sign-in', code],
    queryFn: () => api.post<WaitingCommandLine>('/cli-sign-ins/look', { code }),
    retry: false,
    refetchOnWindowFocus: false,
  })
  const decide = useMutation({
    mutationFn: (approve: boolean) =>
      api.post<{ readonly approved: boolean }>('/cli-sign-ins/decision', { code, approve }),
  })
  if (decide.data) {
    return decide.data.approved ? (
      <DoorPage title="Signed in" lead="The command line goes on by itself. You can close this page.">
        {null}
      </DoorPage>
    ) : (
      <DoorPage title="Turned away" lead="The command line got nothing. You can close this page.">
        {null}
      </DoorPage>
    )
  }
  if (waiting.isError) {
    return (
      <DoorPage title="No command line waits with this code">
        <Notice tone="bad">{wordsFor(waiting.error)}</Notice>
        <Button variant="default" fullWidth onClick={() => void navigate({ search: {} })}>
          Type another code
        </Button>
      </DoorPage>
    )
  }
  if (!waiting.data) return <DoorPage title="One moment">{null}</DoorPage>
  const { user_code, device, address, made_at } = waiting.data
  return (
    <DoorPage
      title="Let this command line in?"
      lead={`It will act as you, ${person.email}. Only go on if you started it yourself a moment ago.`}
    >
      <p className={classes.code} aria-label="Code">
        {user_code}
      </p>
      <p className={classes.hint}>If it shows a code, it must be this one.</p>
      <Facts>
        <Fact name="Machine">{device}</Fact>
        <Fact name="Address">{address}</Fact>
        <Fact name="Asked">
          <Instant at={made_at} />
        </Fact>
      </Facts>
      {decide.isError && <Notice tone="bad">{wordsFor(decide.error)}</Notice>}
      <Button fullWidth loading={decide.isPending && decide.variables} onClick={() => decide.mutate(true)}>
        Let it in
      </Button>
      <Button variant="default" fullWidth disabled={decide.isPending} onClick={() => decide.mutate(false)}>
        Turn it away
      </Button>
    </DoorPage>
  )
}
