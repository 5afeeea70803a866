import { Link } from '@tanstack/react-router'
import type { ListedApproval } from '../../api/types.ts'
import { Countdown } from '../../ui/countdown.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Plain } from '../../ui/plain/plain.tsx'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import classes from './approvals.module.css'
import { verdictOfApproval } from './words.ts'

type Props = {
  readonly item: ListedApproval
  readonly isCurrent: boolean
  readonly isSelected: boolean
  readonly onSelect: (() => void) | undefined
}

export function ApprovalRow({ item, isCurrent, isSelected, onSelect }: Props) {
  const isPending = item.status === 'pending'
  return (
    <li className={classes.item} data-current={isCurrent || undefined} data-selected={isSelected || undefined}>
      {isPending && onSelect && (
        <label className={classes.itemCheck}>
          <span className="cs-hidden">
            Select {item.tool} of {item.agent_id}
          </span>
          <input type="checkbox" checked={isSelected} onChange={onSelect} />
        </label>
      )}
      <Link
        to="/approvals/$id"
        params={{ id: item.id }}
        search={(before) => before}
        className={classes.itemLink}
        aria-current={isCurrent}
        data-approval
      >
        <span className={classes.itemLine}>
          <span className={classes.itemTool}>
            <Plain text={item.tool} />
          </span>
          {isPending ? (
            <Countdown deadline={item.deadline} />
          ) : (
            <VerdictBadge verdict={verdictOfApproval(item.status)} />
          )}
        </span>
        <span className={classes.itemLine}>
          <span className={classes.itemAgent}>{item.agent_id}</span>
          <EnvironmentTag name={item.environment} />
        </span>
        <span className={classes.itemLine}>
          <span className={classes.itemMessage} dir="auto">
            <Plain text={item.message} />
          </span>
          {!isPending && (
            <span className={classes.itemWhen}>
              <Instant at={item.settled_at ?? item.deadline} />
            </span>
          )}
        </span>
      </Link>
    </li>
  )
}
