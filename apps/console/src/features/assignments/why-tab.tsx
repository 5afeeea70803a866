import { Autocomplete, Button, Select } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { useCan, useEnvironments } from '../../api/session.ts'
import { useEnvironment } from '../../frame/environment.ts'
import { Failed, Loading } from '../../ui/list-states.tsx'
import classes from './assignments.module.css'
import { Explanation } from './explanation.tsx'
import { knownAgentsQuery, resolveQuery } from './queries.ts'
import { assignmentsRoute } from './route.ts'

/** One agent, one question: which ruleset does it get, and what decided it. */
export function WhyTab() {
  const { agent, in: asked } = assignmentsRoute.useSearch()
  const chosen = useEnvironment()
  const environments = useEnvironments()
  const navigate = useNavigate()
  const mayReadFleet = useCan('fleet:read')
  const [id, setId] = useState(agent ?? '')
  const [place, setPlace] = useState(asked ?? chosen ?? environments[0]?.name ?? null)
  const [sought] = useDebouncedValue(id.trim(), 150)
  const known = useQuery({ ...knownAgentsQuery(place ?? '', sought), enabled: place !== null && mayReadFleet })
  const isAsked = agent !== undefined && asked !== undefined
  const answer = useQuery({ ...resolveQuery(agent ?? '', asked ?? ''), enabled: isAsked })
  const ask = (about: string): void => {
    if (about.trim() === '' || place === null) return
    void navigate({
      to: '/assignments',
      search: ({ environment }) => ({ environment, tab: 'why', agent: about.trim(), in: place }),
    })
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    ask(id)
  }
  return (
    <div className={classes.why}>
      <form className={classes.ask} onSubmit={submit}>
        <Autocomplete
          label="Agent"
          placeholder="Its id"
          maxLength={128}
          spellCheck={false}
          data={(known.data?.items ?? []).map(({ agent_id }) => agent_id)}
          value={id}
          onChange={setId}
          onOptionSubmit={ask}
        />
        <Select label="Environment" data={environments.map(({ name }) => name)} value={place} onChange={setPlace} />
        <Button type="submit" disabled={id.trim() === '' || place === null}>
          Explain
        </Button>
      </form>
      {isAsked && answer.isPending && <Loading rows={3} />}
      {isAsked && answer.isError && (
        <Failed what="It could not be explained" error={answer.error} onRetry={() => void answer.refetch()} />
      )}
      {isAsked && answer.data && <Explanation answer={answer.data} />}
      {!isAsked && (
        <p className={classes.quiet}>
          Name an agent, known or not: the answer is what it would get if it asked now, and what decided that.
        </p>
      )}
    </div>
  )
}
