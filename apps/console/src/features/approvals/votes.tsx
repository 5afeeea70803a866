import { addressOf } from '../../api/client.ts'
import type { ApprovalDetail } from '../../api/types.ts'
import { DownloadIcon } from '../../ui/icons.tsx'
import { Instant } from '../../ui/instant.tsx'
import { counted } from '../../ui/numbers.ts'
import { PrincipalChip } from '../../ui/principal-chip.tsx'
import classes from './story.module.css'

const proofWords = {
  session: 'signed in',
  'step-up': 'with a fresh proof',
  countersignature: 'countersigned with a passkey',
} as const

/** Whether there is more to say of a decision than who settled it. */
export function hasVotesToShow({ policy, votes, deciders }: ApprovalDetail): boolean {
  return (
    policy.proof !== 'session' ||
    policy.approvers > 1 ||
    policy.excludes_owner ||
    (deciders?.obstacle ?? null) !== null ||
    deciders?.you_may === 'deny' ||
    votes.some(({ proof, by_owner }) => proof !== 'session' || by_owner)
  )
}

export function Votes({ approval }: { readonly approval: ApprovalDetail }) {
  const { policy, votes, status, id, deciders } = approval
  const given = votes.filter(({ approve }) => approve).length
  const left = Math.max(0, policy.approvers - given)
  const isSigned = votes.some(({ proof }) => proof === 'countersignature')
  return (
    <>
      <p className={classes.quiet}>
        {[
          policy.approvers > 1 && `${counted(policy.approvers, 'person', 'people')} must approve`,
          policy.proof === 'countersignature' && 'each decision is signed with a passkey',
          policy.proof === 'step-up' && 'each decision needs a fresh proof',
          policy.excludes_owner
            ? 'whoever made the key never approves'
            : 'whoever made the key approves only while nobody else can',
        ]
          .filter((part) => part !== false)
          .join(' · ')}
        {status === 'pending' && policy.approvers > 1 && ` · ${left} still needed`}
      </p>
      {deciders?.obstacle && <p className={classes.careful}>{deciders.obstacle}</p>}
      {deciders?.you_may === 'deny' && deciders.others > 0 && (
        <p className={classes.careful}>
          You made the key that asks, so somebody else has to approve it ({counted(deciders.others, 'person', 'people')}{' '}
          could). You may deny it.
        </p>
      )}
      {votes.map(({ by, approve, reason, at, proof, by_owner }) => (
        <div key={by.id} className={classes.line}>
          <PrincipalChip who={by} />
          <span>
            {approve ? 'approved' : 'denied'}, {proofWords[proof]}
            {by_owner && ', as whoever made the key'}, <Instant at={at} />
          </span>
          {reason && <span className={classes.quiet}>“{reason}”</span>}
        </div>
      ))}
      {isSigned && (
        <div className={classes.line}>
          <a
            className={classes.download}
            href={addressOf(`/approvals/${id}/countersignature`)}
            download={`approval-${id}.json`}
          >
            <DownloadIcon size={14} /> Export with proofs of the trail
          </a>
          <a
            className={classes.download}
            href={addressOf(`/approvals/${id}/countersignature`, { proofs: false })}
            download={`approval-${id}.json`}
          >
            <DownloadIcon size={14} /> Export signatures only
          </a>
        </div>
      )}
    </>
  )
}
