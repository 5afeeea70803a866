import type { ReplaySample } from '@countersign/wire'
import { Arguments } from '../../ui/arguments/arguments.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Instant } from '../../ui/instant.tsx'
import { counted } from '../../ui/numbers.ts'
import { PageLink } from '../../ui/page-link.tsx'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import { verdictOf } from '../../ui/verdicts.ts'
import classes from './rehearse.module.css'
import { changeMarks } from './replay-words.ts'

type Props = { readonly sample: ReplaySample; readonly ruleset: string; readonly onClose: () => void }

/** One recorded call: what became of it, and what would. */
export function SampleDrawer({ sample, ruleset, onClose }: Props) {
  const { change, tool, agent_id, environment, at, was, now, why, args, event_id, count } = sample
  return (
    <SideDrawer
      isOpen
      onClose={onClose}
      title={
        <span className={classes.line}>
          {tool} <VerdictBadge {...changeMarks[change]} />
        </span>
      }
    >
      <div className={classes.form}>
        <Facts>
          <Fact name="Was">
            <Side side={was} />
          </Fact>
          <Fact name="Would be">
            <Side side={now} />
          </Fact>
          {now.message !== null && <Fact name="Message">{now.message}</Fact>}
          {why !== null && <Fact name="Why">{why}</Fact>}
          <Fact name="Agent">
            <PageLink to={`/fleet/${environment}/${agent_id}`}>{agent_id}</PageLink>
            <EnvironmentTag name={environment} />
          </Fact>
          <Fact name="When">
            <Instant at={at} form="exact" />
            {count > 1 && <span className={ui.quiet}>and {counted(count - 1, 'same call')} more</span>}
          </Fact>
        </Facts>
        <section>
          <h3>Arguments</h3>
          <Arguments json={JSON.stringify(args) ?? 'null'} />
        </section>
        <div className={classes.line}>
          <PageLink to="/rehearse" search={{ ruleset, event: event_id }}>
            Try it on {ruleset}
          </PageLink>
          <PageLink to="/events" search={{ event: event_id }}>
            Open the event
          </PageLink>
        </div>
      </div>
    </SideDrawer>
  )
}

function Side({ side }: { readonly side: ReplaySample['was'] }) {
  return (
    <>
      <VerdictBadge verdict={verdictOf(side.verdict)} />
      {side.rule !== null && (
        <span className={ui.quiet}>
          by <code>{side.rule}</code>
        </span>
      )}
    </>
  )
}
