import { Button } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { EmptyState } from '../ui/list-states.tsx'
import { Page } from './page.tsx'

/** An address that no page has. The navigation beside it is the way on. */
export function UnknownPage() {
  const navigate = useNavigate()
  return (
    <Page title="No such page">
      <EmptyState
        title="Nothing is at this address"
        action={<Button onClick={() => void navigate({ to: '/' })}>Go to the overview</Button>}
      >
        It may be mistyped, or what it named is gone or not yours to see.
      </EmptyState>
    </Page>
  )
}
