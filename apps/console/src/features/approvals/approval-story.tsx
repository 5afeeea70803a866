import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useEnvironments } from '../../api/session.ts'
import type { ApprovalDetail } from '../../api/types.ts'
import { Arguments } from '../../ui/arguments/arguments.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Countdown } from '../../ui/countdown.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { AgentIcon, KeysIcon, ShieldIcon } from '../../ui/icons.tsx'
import { Instant } from '../../ui/instant.tsx'
import { counted } from '../../ui/numbers.ts'
import { Plain } from '../../ui/plain/plain.tsx'
import { PrincipalChip } from '../../ui/principal-chip.tsx'
import { RevisionChip } from '../../ui/revision-chip.tsx'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import classes from './story.module.css'
import { hasVotesToShow, Votes } from './votes.tsx'
import { fateOf, isIrreversible, verdictOfApproval } from './words.ts'

type Props = { readonly approval: ApprovalDetail }

/** Who asks, what exactly, where, why it was held, what happens without an answer, and how it went before. */
export function ApprovalStory({ approval }: Props) {
  const { status, tool, agent_id, key, environment, message } = approval
  const isPending = status === 'pending'
  const isProtected = useEnvironments().find(({ name }) => name === environment)?.is_protected ?? false
  return (
    <>
      {isProtected && (
        <div className={classes.shout}>
          <ShieldIcon size={16} />
          <strong>{environment}</strong>
          <span>protected environment</span>
        </div>
      )}
      <header className={classes.header}>
        <div className={classes.asker}>
          <AgentIcon size={16} />
          <span className={classes.code}>{agent_id}</span>
          <span className={classes.quiet}>{isPending ? 'asks' : 'asked'} to call</span>
        </div>
        <h2 className={classes.tool}>
          <Plain text={tool} />
        </h2>
        <p className={classes.message}>
          <Plain text={message} />
        </p>
        <div className={classes.clock}>
          {isPending ? (
            <Countdown deadline={approval.deadline} since={approval.created_at} withBar />
          ) : (
            <VerdictBadge verdict={verdictOfApproval(status)} />
          )}
        </div>
      </header>
      {!isPending && <Fate approval={approval} />}
      <Part title="What exactly">
        {approval.args_json === null ? (
          <p className={classes.quiet}>The agent sent no arguments.</p>
        ) : (
          <Arguments key={approval.id} json={approval.args_json} />
        )}
        {approval.args_is_redacted && (
          <p className={classes.note}>Secrets were masked before anything was stored; the agent still holds them.</p>
        )}
        {approval.args_is_escaped && (
          <p className={classes.note}>Characters that cannot be stored are shown as their escapes.</p>
        )}
      </Part>
      <Part title="Where">
        <div className={classes.line}>
          <EnvironmentTag name={environment} />
          <span className={classes.quiet}>
            <KeysIcon size={13} /> <span className={classes.code}>{key.prefix}…</span> {key.label}
          </span>
        </div>
      </Part>
      <Part title={isPending ? 'Why it is held' : 'Why it was held'}>
        <Held approval={approval} />
      </Part>
      {isPending && (
        <Part title="If nobody answers">
          <Unanswered approval={approval} />
        </Part>
      )}
      {hasVotesToShow(approval) && (
        <Part title={isPending ? 'What a decision needs' : 'Who decided'}>
          <Votes approval={approval} />
        </Part>
      )}
      <Part title="Calls like it">
        <Similar approval={approval} />
      </Part>
      <Part title="Record">
        <Facts>
          <Fact name="Asked">
            <Instant at={approval.created_at} form="exact" />
          </Fact>
          <Fact name="Approval">
            <code>{approval.id}</code>
            <CopyButton text={approval.id} what="the approval id" />
          </Fact>
          {approval.session_id && (
            <>
              <Fact name="Session">
                <code>{approval.session_id}</code>
              </Fact>
            </>
          )}
          <Fact name="Digest">
            <code className={classes.digest} title={approval.digest}>
              {approval.digest}
            </code>
            <CopyButton text={approval.digest} what="the digest" />
          </Fact>
        </Facts>
        <p className={classes.note}>
          A decision binds this SHA-256 of what is shown above: other arguments, another revision or a later deadline
          would give another.
        </p>
      </Part>
    </>
  )
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className={classes.part}>
      <h3>{title}</h3>
      <div className={classes.partBody}>{children}</div>
    </section>
  )
}

function Held({ approval }: Props) {
  const { why } = approval
  return (
    <>
      {why.rules.map(({ id, message, condition, tags }) => (
        <div key={id} className={classes.rule}>
          <div className={classes.line}>
            <code className={classes.ruleId}>{id}</code>
            {why.ruleset !== null && (
              <span className={classes.quiet}>
                of {why.ruleset}
                {why.version !== null && ` v${why.version}`}
              </span>
            )}
            {tags.map((tag) => (
              <span key={tag} className={ui.word}>
                {tag}
              </span>
            ))}
          </div>
          <p>{message}</p>
          {condition !== null && <pre className={classes.condition}>{condition}</pre>}
        </div>
      ))}
      {isIrreversible(approval) && (
        <p className={classes.careful}>The rule marks this as something that cannot be undone.</p>
      )}
      <p className={classes.note}>
        {why.source !== 'unknown' && <span className={classes.source}>{why.source}</span>}
        {why.source === 'derived'
          ? why.sentence.replace(/^Derived: ./, (start) => start.slice(-1).toUpperCase())
          : why.sentence}
      </p>
      {why.revision !== null && (
        <p className={classes.note}>
          Revision <RevisionChip hash={why.revision} />
        </p>
      )}
    </>
  )
}

function Unanswered({ approval }: Props) {
  const isAllowed = approval.on_timeout === 'allow'
  return (
    <>
      <div className={classes.line}>
        <VerdictBadge
          verdict={isAllowed ? 'allowed' : 'blocked'}
          word={isAllowed ? 'The call runs' : 'The call is blocked'}
        />
        <span className={classes.quiet}>
          at <Instant at={approval.deadline} form="exact" />
        </span>
      </div>
      {isAllowed && <p className={classes.careful}>Silence lets this call through.</p>}
      {approval.is_orphaned && (
        <p className={classes.note}>
          No agent has asked for the answer yet. This may be a request that was sent twice, whose twin is being waited
          for.
        </p>
      )}
    </>
  )
}

function Similar({ approval }: Props) {
  const { counts, items } = approval.similar
  const total = counts.approved + counts.denied + counts.timed_out + counts.cancelled
  if (total === 0) return <p className={classes.quiet}>None was decided before, of this tool in this environment.</p>
  return (
    <>
      <p className={classes.counts}>
        {counts.approved} approved, {counts.denied} denied, {counts.timed_out} timed out
        {counts.cancelled > 0 && `, ${counts.cancelled} cancelled`}
      </p>
      <ul className={classes.similar}>
        {items.map(({ id, status, agent_id, created_at, decision, has_same_args }) => (
          <li key={id}>
            <VerdictBadge verdict={verdictOfApproval(status)} />
            <Link to="/approvals/$id" params={{ id }} search={(before) => before} className={classes.code}>
              {agent_id}
            </Link>
            {has_same_args && <span className={ui.word}>same arguments</span>}
            <span className={classes.reason}>{decision?.reason}</span>
            <span className={classes.when}>
              <Instant at={created_at} />
            </span>
          </li>
        ))}
      </ul>
      {total > items.length && (
        <p className={classes.note}>{counted(total - items.length, 'more', 'more')} not shown.</p>
      )}
    </>
  )
}

function Fate({ approval }: Props) {
  const { decision, status, fate, settled_at } = approval
  const ran = fateOf(approval)
  return (
    <section className={classes.fate} aria-label="What became of it">
      <div className={classes.line}>
        <VerdictBadge verdict={verdictOfApproval(status)} />
        {decision ? (
          <>
            <span className={classes.quiet}>by</span>
            <PrincipalChip who={decision.by} />
            <span className={classes.quiet}>
              via {decision.via}
              {decision.address !== null && ` from ${decision.address}`},
            </span>
          </>
        ) : (
          <span className={classes.quiet}>{status === 'timed_out' ? 'nobody answered,' : ''}</span>
        )}
        <Instant at={decision?.at ?? settled_at ?? approval.deadline} />
      </div>
      {decision?.claimed_by && (
        <p className={classes.note}>The key says it spoke for {decision.claimed_by}; that is a claim.</p>
      )}
      {decision?.by_owner && status === 'approved' && (
        <p className={classes.careful}>
          By whoever made the key that asked: nobody else could decide in {approval.environment} then.
        </p>
      )}
      {decision?.reason && <blockquote className={classes.quote}>{decision.reason}</blockquote>}
      <div className={classes.line}>
        <VerdictBadge verdict={ran.verdict} word={ran.word} />
        <span>{fate.sentence}</span>
      </div>
    </section>
  )
}
