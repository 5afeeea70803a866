import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { queryClient } from '../../api/query-client.ts'
import { sessionKey } from '../../api/session.ts'
import { DoorPage } from '../../frame/door-page.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { AddFactor } from './add-factor.tsx'
import { ProveFactor } from './prove-factor.tsx'
import { factorsQuery } from './queries.ts'
import { enrollRoute } from './route.ts'

export function EnrollPage() {
  const { next } = enrollRoute.useSearch()
  const navigate = useNavigate()
  const { data, error, isError, refetch } = useQuery(factorsQuery)
  const [isProven, setProven] = useState(false)
  const done = async (): Promise<void> => {
    queryClient.removeQueries({ queryKey: sessionKey })
    await navigate({ href: next ?? '/', replace: true })
  }
  const needsPassword = data !== undefined && data.has_password && !data.is_stepped_up && !isProven && !data.is_enrolled
  return (
    <DoorPage title="Add a second factor" lead="Your role needs one before anything else is open to you.">
      {isError && !data && (
        <Failed what="Your factors could not be read" error={error} onRetry={() => void refetch()} />
      )}
      {!data && !isError && <Loading rows={3} />}
      {data && needsPassword && <ProveFactor status={data} onProven={() => setProven(true)} />}
      {data && !needsPassword && <AddFactor status={data} onDone={() => void done()} />}
    </DoorPage>
  )
}
