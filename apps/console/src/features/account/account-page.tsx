import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Page } from '../../frame/page.tsx'
import groups from '../../ui/groups.module.css'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { BackupCodes, Factors } from './factors.tsx'
import { Password } from './password.tsx'
import { factorsQuery } from './queries.ts'
import { accountRoute } from './route.ts'
import { Sessions } from './sessions.tsx'
import { TrustedDevices } from './trusted-devices.tsx'

export function AccountPage() {
  const { add = false } = accountRoute.useSearch()
  const navigate = useNavigate()
  const { data, error, isError, refetch } = useQuery(factorsQuery)
  return (
    <Page title="Account & security" width="full">
      <div className={groups.body}>
        {isError && !data && (
          <Failed what="Your factors could not be read" error={error} onRetry={() => void refetch()} />
        )}
        {!data && !isError && <Loading rows={3} rowHeight={56} />}
        {data && (
          <Factors
            status={data}
            isAdding={add}
            onAdding={(isAdding) =>
              void navigate({
                to: '/account',
                search: ({ environment }) => ({ environment, ...(isAdding && { add: true as const }) }),
                replace: true,
              })
            }
          />
        )}
        {data?.is_enrolled && <BackupCodes status={data} />}
        {data?.is_enrolled && <TrustedDevices devices={data.trusted_devices} />}
        <Sessions />
        {(data?.has_password ?? true) && <Password />}
      </div>
    </Page>
  )
}
