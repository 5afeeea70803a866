import { Button } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { wordsFor } from '../../api/problem.ts'
import { useCanIn } from '../../api/session.ts'
import type { ApprovalDetail, Overview } from '../../api/types.ts'
import { Countdown } from '../../ui/countdown.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { CheckIcon } from '../../ui/icons.tsx'
import { useSecond } from '../../ui/now.ts'
import { Plain } from '../../ui/plain/plain.tsx'
import { tell, tellFailure } from '../../ui/tell.tsx'
import actions from '../approvals/actions.module.css'
import { approvalQuery } from '../approvals/queries.ts'
import { useDecide } from '../approvals/use-decide.ts'
import { isIrreversible } from '../approvals/words.ts'
import { Card } from './card.tsx'
import classes from './overview.module.css'

type Needs = Overview['needs_you']

/** Held calls, nearest deadline first, to be decided where they stand. */
export function NeedsYou({ needs }: { readonly needs: Needs }) {
  if (needs.pending === 0) {
    return (
      <p className={classes.calm}>
        <CheckIcon size={14} /> No call is held. Nothing waits for you.
      </p>
    )
  }
  const more = needs.pending - needs.items.length
  return (
    <Card
      title="Needs you"
      tone="held"
      aside={
        <Link to="/approvals" search={(before) => before}>
          {more > 0 ? `${more} more held` : 'All approvals'}
        </Link>
      }
    >
      <ul className={classes.held}>
        {needs.items.map((item) => (
          <HeldCall key={item.id} item={item} />
        ))}
      </ul>
    </Card>
  )
}

function HeldCall({ item }: { readonly item: Needs['items'][number] }) {
  const { id, tool, agent_id, environment, message, deadline } = item
  const mayDecide = useCanIn('approval:decide', environment)
  const client = useQueryClient()
  const navigate = useNavigate()
  const decide = useDecide()
  const [isLooking, setLooking] = useState(false)
  const isOver = useSecond() >= Date.parse(deadline)

  const carryOut = async (approve: boolean): Promise<void> => {
    setLooking(true)
    try {
      // What cannot be undone, is signed, or is not this person's to approve, is decided where all of it can be read.
      if (approve && isForItsPage(await client.fetchQuery(approvalQuery(id)))) {
        await navigate({ to: '/approvals/$id', params: { id }, search: (before) => before })
        return
      }
      await decide.mutateAsync({ id, approve })
      tell(approve ? 'Approved' : 'Denied', `${tool} of ${agent_id}`)
    } catch (error) {
      tellFailure(`${tool} of ${agent_id} was not decided`, wordsFor(error))
    } finally {
      setLooking(false)
    }
  }
  return (
    <li className={classes.heldCall}>
      <Link to="/approvals/$id" params={{ id }} search={(before) => before} className={classes.heldLink}>
        <span className={classes.heldTool}>
          <Plain text={tool} />
        </span>
        <span className={classes.heldWords}>
          <span className={classes.code}>{agent_id}</span>
          <span className={classes.heldMessage} dir="auto">
            <Plain text={message} />
          </span>
        </span>
      </Link>
      <EnvironmentTag name={environment} />
      <span className={classes.heldClock}>
        <Countdown deadline={deadline} />
      </span>
      {mayDecide && (
        <span className={classes.heldActs}>
          <Button
            variant="default"
            className={actions.deny}
            disabled={isLooking || isOver}
            onClick={() => void carryOut(false)}
            aria-label={`Deny ${tool} of ${agent_id}`}
          >
            Deny
          </Button>
          <Button
            className={actions.approve}
            disabled={isLooking || isOver}
            onClick={() => void carryOut(true)}
            aria-label={`Approve ${tool} of ${agent_id}`}
          >
            Approve
          </Button>
        </span>
      )}
    </li>
  )
}

function isForItsPage(approval: ApprovalDetail): boolean {
  const { policy, deciders } = approval
  return isIrreversible(approval) || policy.proof === 'countersignature' || deciders?.you_may === 'deny'
}
