import { Button, Modal, Textarea } from '@mantine/core'
import { useState } from 'react'
import type { ListedApproval } from '../../api/types.ts'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Notice } from '../../ui/notice.tsx'
import { counted } from '../../ui/numbers.ts'
import { Plain } from '../../ui/plain/plain.tsx'
import actions from './actions.module.css'
import classes from './approvals.module.css'
import { divided } from './bulk.ts'
import { useDecideMany } from './use-decide.ts'

type Props = { readonly items: readonly ListedApproval[]; readonly onDone: () => void }

/** Several calls, one decision and one reason. What it cannot carry is left out and named; the rest is decided call by call. */
export function BulkBar({ items, onDone }: Props) {
  const [asked, setAsked] = useState<'approve' | 'deny' | null>(null)
  const [reason, setReason] = useState('')
  const decide = useDecideMany()
  const approvable = divided(items, true)
  const deniable = divided(items, false)
  const { carried, leftOut } = asked === 'approve' ? approvable : deniable
  const words = counted(carried.length, 'call')
  const carryOut = (): void => {
    const said = reason.trim() === '' ? {} : { reason: reason.trim() }
    decide.mutate(
      carried.map(({ id }) => ({ id, approve: asked === 'approve', ...said })),
      {
        onSettled: () => {
          setAsked(null)
          onDone()
        },
      },
    )
  }
  return (
    <div className={classes.bulk} role="toolbar" aria-label="Selected calls">
      <span>{items.length} selected</span>
      <Button
        className={actions.approve}
        disabled={approvable.carried.length === 0}
        title={onlyReason(approvable)}
        onClick={() => setAsked('approve')}
      >
        Approve
      </Button>
      <Button
        className={actions.deny}
        variant="default"
        disabled={deniable.carried.length === 0}
        title={onlyReason(deniable)}
        onClick={() => setAsked('deny')}
      >
        Deny
      </Button>
      <Button variant="subtle" color="gray" className={classes.bulkClear} onClick={onDone}>
        Clear
      </Button>
      <Modal
        opened={asked !== null}
        onClose={() => setAsked(null)}
        title={asked === 'approve' ? `Approve ${words}` : `Deny ${words}`}
        closeButtonProps={{ 'aria-label': 'Close' }}
        size={520}
      >
        <Calls items={carried} />
        {[...leftOut].map(([why, left]) => (
          <section key={why} aria-label="Left out">
            <Notice tone="care">
              {counted(left.length, 'call')} left out. {why}
            </Notice>
            <Calls items={left} />
          </section>
        ))}
        <Textarea
          label="Reason for all of them"
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          maxLength={2000}
          autosize
          minRows={2}
          data-autofocus
        />
        <div className={actions.dialog}>
          <Button variant="default" onClick={() => setAsked(null)}>
            Cancel
          </Button>
          <Button
            className={asked === 'approve' ? actions.approve : actions.denyFilled}
            loading={decide.isPending}
            onClick={carryOut}
          >
            {asked === 'approve' ? `Approve ${words}` : `Deny ${words}`}
          </Button>
        </div>
      </Modal>
    </div>
  )
}

/** Why a button is off, when nothing that is selected can be decided with it. */
function onlyReason({ carried, leftOut }: ReturnType<typeof divided>): string | undefined {
  return carried.length === 0 ? [...leftOut.keys()].join(' ') : undefined
}

function Calls({ items }: Pick<Props, 'items'>) {
  return (
    <ul className={classes.bulkItems}>
      {items.map(({ id, tool, agent_id, environment }) => (
        <li key={id}>
          <code>
            <Plain text={tool} />
          </code>
          <span className={classes.itemAgent}>{agent_id}</span>
          <EnvironmentTag name={environment} />
        </li>
      ))}
    </ul>
  )
}
