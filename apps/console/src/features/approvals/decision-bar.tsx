import { Button, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { wordsFor } from '../../api/problem.ts'
import type { ApprovalDetail } from '../../api/types.ts'
import { useKeys } from '../../ui/keys.ts'
import { Notice } from '../../ui/notice.tsx'
import { useSecond } from '../../ui/now.ts'
import { factorsQuery } from '../account/queries.ts'
import actions from './actions.module.css'
import classes from './approvals.module.css'
import { CountersignDialog } from './countersign-dialog.tsx'
import { type Decision, useDecide } from './use-decide.ts'
import { isIrreversible } from './words.ts'

type Props = { readonly approval: ApprovalDetail }

/** Somebody with a passkey can countersign of their own accord, where no policy asks for it. */
function useHasPasskey(): boolean {
  const { data } = useQuery(factorsQuery)
  return data?.factors.some(({ kind }) => kind === 'passkey') ?? false
}

/** The decision and its reason. What cannot be undone is asked about once more, on a button that has to be reached. */
export function DecisionBar({ approval }: Props) {
  const [reason, setReason] = useState('')
  const [isAsking, setAsking] = useState(false)
  const [signing, setSigning] = useState<Decision | null>(null)
  const input = useRef<HTMLInputElement>(null)
  const decide = useDecide()
  const isOver = useSecond() >= Date.parse(approval.deadline)
  // One approval of several leaves the call held, and this person has said theirs.
  const isClosed = isOver || decide.isPending || decide.isSuccess
  const mayApprove = approval.deciders?.you_may !== 'deny'
  const mustSign = approval.policy.proof === 'countersignature'
  const canSign = useHasPasskey()
  const carryOut = (approve: boolean, isSigned = mustSign): void => {
    if (isClosed || (approve && !mayApprove)) return
    setAsking(false)
    const said = reason.trim() === '' ? {} : { reason: reason.trim() }
    const decision = { id: approval.id, approve, ...said }
    if (isSigned) setSigning(decision)
    else decide.mutate(decision)
  }
  const approve = (): void => {
    if (isIrreversible(approval) && mayApprove && !mustSign) setAsking(true)
    else carryOut(true)
  }
  useKeys({
    a: approve,
    d: () => carryOut(false),
    ...(canSign && { s: () => carryOut(true, true) }),
    r: () => input.current?.focus(),
    ...(isAsking && { Escape: () => setAsking(false) }),
  })
  if (isAsking && !isClosed) {
    return (
      <div className={classes.decision} role="alertdialog" aria-label="Approve what cannot be undone">
        <span className={classes.askAgain}>This cannot be undone. Approve it?</span>
        <Button className={actions.approve} onClick={() => carryOut(true)} autoFocus>
          Approve it
        </Button>
        <Button variant="default" onClick={() => setAsking(false)}>
          Not yet
        </Button>
      </div>
    )
  }
  return (
    <div className={classes.decisionBox}>
      <CountersignDialog
        approval={approval}
        decision={signing}
        onClose={() => setSigning(null)}
        onSigned={(decision) => {
          setSigning(null)
          decide.mutate(decision)
        }}
      />
      {decide.isError && <Notice tone="bad">{wordsFor(decide.error)}</Notice>}
      <div className={classes.decision}>
        <TextInput
          ref={input}
          className={classes.reason}
          aria-label="Reason"
          placeholder="Reason, shown to the agent and kept in the trail"
          maxLength={2000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') event.currentTarget.blur()
          }}
          disabled={isClosed}
        />
        <Button variant="default" className={actions.deny} disabled={isClosed} onClick={() => carryOut(false)}>
          Deny
          <kbd className={actions.key} aria-hidden="true">
            D
          </kbd>
        </Button>
        {canSign && !mustSign && (
          <Button
            variant="default"
            disabled={isClosed || !mayApprove}
            onClick={() => carryOut(true, true)}
            title="Nothing here asks for it: your passkey signs exactly this call, and anybody can verify that later"
          >
            Sign and approve
            <kbd className={actions.key} aria-hidden="true">
              S
            </kbd>
          </Button>
        )}
        <Button
          className={actions.approve}
          disabled={isClosed || !mayApprove}
          onClick={approve}
          {...(!mayApprove && { title: 'You made the key that asks, so somebody else has to approve this' })}
        >
          {mustSign ? 'Sign and approve' : 'Approve'}
          <kbd className={actions.key} aria-hidden="true">
            A
          </kbd>
        </Button>
      </div>
      {isOver && <p className={classes.over}>The deadline has passed; the agent has acted on its own.</p>}
    </div>
  )
}
