import type { FleetSummary } from '@countersign/wire'
import { countWords } from '../../ui/numbers.ts'
import classes from './fleet.module.css'
import { type AgentStatus, agentStatuses, statusWords } from './words.ts'

type Props = {
  readonly summary: FleetSummary
  readonly status: AgentStatus | undefined
  readonly onStatus: (status: AgentStatus | undefined) => void
}

/** How many agents are in each state; a click narrows the list to it, another takes that back. */
export function SummaryBar({ summary, status, onStatus }: Props) {
  return (
    <div className={classes.summary} role="group" aria-label="Agents by state">
      <button
        type="button"
        className={classes.summaryPart}
        aria-pressed={status === undefined}
        onClick={() => onStatus(undefined)}
      >
        <b>{countWords(summary.total)}</b> All
      </button>
      {agentStatuses.map((one) => (
        <button
          key={one}
          type="button"
          className={classes.summaryPart}
          data-status={one}
          aria-pressed={status === one}
          title={statusWords[one].help}
          onClick={() => onStatus(status === one ? undefined : one)}
        >
          <span className={classes.summaryMark} data-status={one} />
          <b>{countWords(summary[one])}</b> {statusWords[one].word}
        </button>
      ))}
      <span className={classes.connected}>{countWords(summary.connected)} connected now</span>
    </div>
  )
}
