import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useCanIn } from '../../api/session.ts'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { ApprovalStory } from './approval-story.tsx'
import classes from './approvals.module.css'
import { DecisionBar } from './decision-bar.tsx'
import { approvalQuery } from './queries.ts'

type Props = { readonly id: string; readonly hasBack: boolean }

export function ApprovalPane({ id, hasBack }: Props) {
  const { data, error, isError, refetch } = useQuery(approvalQuery(id))
  const mayDecide = useCanIn('approval:decide', data?.environment ?? '')
  return (
    <article className={classes.pane} aria-label="The call">
      {hasBack && (
        <Link to="/approvals" search={(before) => before} className={classes.back}>
          All calls
        </Link>
      )}
      {!data && !isError && <Loading rows={6} rowHeight={56} />}
      {isError && !data && (
        <Failed what="This approval could not be read" error={error} onRetry={() => void refetch()} />
      )}
      {data && (
        <>
          <div className={classes.story}>
            <ApprovalStory approval={data} />
          </div>
          {mayDecide && data.status === 'pending' && <DecisionBar approval={data} />}
        </>
      )}
    </article>
  )
}
