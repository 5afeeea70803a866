import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCan, useSession } from '../../api/session.ts'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState, FilteredToNothing } from '../../ui/list-states.tsx'
import { Snippet } from '../../ui/snippets/snippet.tsx'
import { useExampleRuleset } from '../rulesets/example-ruleset.ts'
import classes from './events.module.css'
import { newestQuery } from './queries.ts'

type Props = {
  readonly environment: string | undefined
  readonly isNarrowed: boolean
  /** The range in words, as in `Last hour`. */
  readonly range: string
  readonly onClear: () => void
  readonly onReach: (at: string) => void
}

/** Filtered to nothing, a quiet time, or no event ever: each wants something else to be done. */
export function Nothing({ environment, isNarrowed, range, onClear, onReach }: Props) {
  const newest = useQuery({ ...newestQuery(environment), enabled: !isNarrowed })
  if (isNarrowed) return <FilteredToNothing what="events" onClear={onClear} />
  const [found] = newest.data?.items ?? []
  if (found) {
    return (
      <EmptyState
        title={`Nothing was reported: ${range.toLowerCase()}`}
        action={<Button onClick={() => onReach(found.at)}>Reach back to it</Button>}
      >
        The newest event is from <Instant at={found.at} />.
      </EmptyState>
    )
  }
  return newest.isSuccess ? <First environment={environment} /> : null
}

function First({ environment }: { readonly environment: string | undefined }) {
  const navigate = useNavigate()
  const mayMakeKeys = useCan('keys:write')
  const { server, environments } = useSession()
  const named = environment ?? environments.find(({ is_protected }) => !is_protected)?.name ?? 'development'
  const ruleset = useExampleRuleset(named)
  return (
    <div className={classes.first}>
      <EmptyState
        title={environment === undefined ? 'No agent has reported a call yet' : `No call in ${environment} yet`}
        action={mayMakeKeys && <Button onClick={() => void navigate({ href: '/keys?make=true' })}>Make a key</Button>}
      >
        Every call an agent makes, is refused or has to wait for shows here as soon as it reports it. Put a key into one
        of these and run it: its call appears by itself.
      </EmptyState>
      <Snippet url={server.base_url} agentKey="YOUR_KEY" environment={named} ruleset={ruleset} />
    </div>
  )
}
