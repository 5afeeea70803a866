import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { PageLink } from '../../ui/page-link.tsx'
import { Plain } from '../../ui/plain/plain.tsx'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import classes from './event-drawer.module.css'
import { Moment } from './moment.tsx'
import { gapWords, openEndOf, type Step, stepsOf } from './steps.ts'
import type { EventDetail } from './types.ts'

type Props = { readonly detail: EventDetail; readonly onOpen: (id: string) => void }

/** The whole call on one line of time. */
export function Story({ detail, onOpen }: Props) {
  const steps = stepsOf(detail)
  const openEnd = openEndOf(detail)
  const { approval } = detail
  return (
    <>
      <ol className={classes.story}>
        {steps.map((step, index) => (
          <li
            key={step.id}
            className={classes.step}
            data-is={step.is}
            aria-current={step.id === detail.id ? 'step' : undefined}
          >
            <div className={classes.stepHead}>
              <VerdictBadge verdict={step.verdict} word={step.word} />
              <Moment at={new Date(step.at).toISOString()} />
              <span className={classes.quiet}>{gapWords(step, steps[index - 1])}</span>
            </div>
            <p>
              {step.sentence} <Where step={step} isOpen={step.id === detail.id} onOpen={onOpen} />
            </p>
          </li>
        ))}
        {openEnd && (
          <li className={classes.step} data-is="open">
            <p className={classes.quiet}>{openEnd}</p>
          </li>
        )}
      </ol>
      {approval && (
        <p className={classes.note}>
          Solid marks are what this server saw itself, hollow ones what the agent reported.
          {!approval.is_certain && ' The agent names no approval: this one was matched by agent, tool and time.'}
        </p>
      )}
    </>
  )
}

type WhereProps = { readonly step: Step; readonly isOpen: boolean; readonly onOpen: (id: string) => void }

function Where({ step, isOpen, onOpen }: WhereProps) {
  const { event, approvalId } = step
  if (approvalId !== undefined) return <PageLink to={`/approvals/${approvalId}`}>Open the approval</PageLink>
  if (event === undefined || isOpen) return null
  return (
    <button type="button" className={ui.textButton} onClick={() => onOpen(event.id)}>
      Open this event
    </button>
  )
}

/** Who called what, where: the first thing read. */
export function Heading({ detail }: { readonly detail: EventDetail }) {
  return (
    <header className={classes.heading}>
      <h2>
        <Plain text={detail.tool} />
      </h2>
      <p>
        called by{' '}
        <PageLink
          to={`/fleet/${encodeURIComponent(detail.environment)}/${encodeURIComponent(detail.agent_id)}`}
          className={classes.code}
        >
          {detail.agent_id}
        </PageLink>{' '}
        in <EnvironmentTag name={detail.environment} />
      </p>
    </header>
  )
}
