import { Button, NumberInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { ConfirmDestructive } from '../../ui/confirm-destructive.tsx'
import groups from '../../ui/groups.module.css'
import { counted } from '../../ui/numbers.ts'
import { tell } from '../../ui/tell.tsx'
import classes from './settings.module.css'

/** What the server wants to read before it deletes anything. */
const confirmation = 'purge events'

export function Danger() {
  const [days, setDays] = useState<string | number>(90)
  const [isAsking, setAsking] = useState(false)
  const client = useQueryClient()
  const purge = useMutation({
    mutationFn: () =>
      api.post<{ readonly deleted_count: number }>('/events/purge', {
        older_than_days: Number(days),
        confirm: confirmation,
      }),
    onSuccess: ({ deleted_count }) => {
      setAsking(false)
      tell(`${counted(deleted_count, 'event')} deleted`, 'The trail keeps that it was done, by whom and how many.')
      return client.invalidateQueries()
    },
  })
  const age = Number(days)
  return (
    <section className={groups.group} aria-label="Danger zone">
      <h2>Danger zone</h2>
      <div className={classes.row}>
        <div className={classes.words}>
          <h3 id="purge">Purge events</h3>
          <p>
            Deletes what agents reported longer ago than this, in all environments. The trail, which holds what this
            server witnessed itself, is never deleted.
          </p>
        </div>
        <div className={classes.number}>
          <NumberInput
            aria-labelledby="purge"
            min={1}
            max={36_500}
            allowDecimal={false}
            hideControls
            value={days}
            onChange={setDays}
            rightSection={<span className={classes.unit}>days</span>}
            rightSectionWidth={56}
          />
          <Button
            variant="default"
            className={classes.sharp}
            disabled={days === '' || age < 1}
            onClick={() => setAsking(true)}
          >
            Purge
          </Button>
        </div>
      </div>
      <ConfirmDestructive
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        title={`Purge events older than ${counted(age, 'day')}`}
        name={confirmation}
        action="Purge the events"
        onConfirm={() => purge.mutate()}
        isBusy={purge.isPending}
        error={purge.error}
      >
        <p>They are deleted for good. Counts, charts and exports of that time will no longer have them.</p>
      </ConfirmDestructive>
    </section>
  )
}
