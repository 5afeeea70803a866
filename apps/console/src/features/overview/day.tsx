import { useNavigate } from '@tanstack/react-router'
import { useCan } from '../../api/session.ts'
import type { Overview } from '../../api/types.ts'
import { navigation } from '../../frame/navigation.ts'
import { Histogram } from '../../ui/histogram/histogram.tsx'
import { counted, countWords } from '../../ui/numbers.ts'
import { Card } from './card.tsx'
import classes from './overview.module.css'

type Props = Pick<Overview, 'histogram' | 'day'>

export function Day({ histogram, day }: Props) {
  const navigate = useNavigate()
  const mayRead = useCan('events:read')
  const hasEvents = mayRead && navigation.some(({ destinations }) => destinations.some(({ to }) => to === '/events'))
  const zoom = ({ since, until }: { readonly since: string; readonly until: string }): void => {
    const to: string = '/events'
    void navigate({ to, search: (before) => ({ environment: before.environment, since, until }) })
  }
  return (
    <Card
      title="Calls in 24 hours"
      aside={
        <span className={classes.quiet}>
          {countWords(day.events)} from {counted(day.active_agents, 'agent')}
        </span>
      }
    >
      {day.events === 0 ? (
        <p className={classes.none}>No agent reported a call in the last 24 hours.</p>
      ) : (
        <Histogram
          label="Calls in 24 hours"
          buckets={histogram.buckets}
          bucketMs={histogram.bucket_seconds * 1000}
          height={132}
          onZoom={hasEvents ? zoom : undefined}
        />
      )}
    </Card>
  )
}
