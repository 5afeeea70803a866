import { Button, Modal, Textarea } from '@mantine/core'
import { useState } from 'react'
import type { ApprovalItem } from '../../api/types.ts'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { counted } from '../../ui/numbers.ts'
import actions from './actions.module.css'
import classes from './approvals.module.css'
import { useDecideMany } from './use-decide.ts'

type Props = { readonly items: readonly ApprovalItem[]; readonly onDone: () => void }

/** Several calls, one decision and one reason; each is carried out or refused by itself. */
export function BulkBar({ items, onDone }: Props) {
  const [asked, setAsked] = useState<'approve' | 'deny' | null>(null)
  const [reason, setReason] = useState('')
  const decide = useDecideMany()
  const words = counted(items.length, 'call')
  const carryOut = (): void => {
    const said = reason.trim() === '' ? {} : { reason: reason.trim() }
    decide.mutate(
      items.map(({ id }) => ({ id, approve: asked === 'approve', ...said })),
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
      <Button className={actions.approve} onClick={() => setAsked('approve')}>
        Approve
      </Button>
      <Button className={actions.deny} variant="default" onClick={() => setAsked('deny')}>
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
        <ul className={classes.bulkItems}>
          {items.map(({ id, tool, agent_id, environment }) => (
            <li key={id}>
              <code>{tool}</code>
              <span className={classes.itemAgent}>{agent_id}</span>
              <EnvironmentTag name={environment} />
            </li>
          ))}
        </ul>
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
