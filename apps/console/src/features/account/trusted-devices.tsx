import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import type { FactorStatus } from '../../api/types.ts'
import groups from '../../ui/groups.module.css'
import { Instant } from '../../ui/instant.tsx'
import { tell, tellFailure } from '../../ui/tell.tsx'
import classes from './account.module.css'
import { deviceWords } from './device.ts'

export function TrustedDevices({ devices }: { readonly devices: FactorStatus['trusted_devices'] }) {
  const client = useQueryClient()
  const forget = useMutation({
    mutationFn: (id: string) => api.delete(`/mfa/devices/${id}`),
    onSuccess: () => tell('That browser is not trusted any more'),
    onError: (error) => tellFailure('The browser is still trusted', wordsFor(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ['mfa'] }),
  })
  return (
    <section className={groups.group} aria-label="Trusted browsers">
      <h2>Trusted browsers</h2>
      <p className={groups.lead}>
        {devices.length === 0
          ? 'None: every sign-in asks for a factor.'
          : 'Not asked for a factor at sign-in. Acts that need a fresh proof still ask.'}
      </p>
      {devices.map((device) => (
        <div key={device.id} className={classes.row}>
          <div className={classes.words}>
            <h3 title={device.label}>
              {deviceWords(device.label)}
              {device.is_current && <span className={classes.here}>this one</span>}
            </h3>
            <p>
              {device.address} · trusted <Instant at={device.made_at} /> · until <Instant at={device.expires_at} />
            </p>
          </div>
          <Button variant="default" disabled={forget.isPending} onClick={() => forget.mutate(device.id)}>
            Forget
          </Button>
        </div>
      ))}
    </section>
  )
}
