import type { RolloutDetail } from '@countersign/wire'
import { counted, countWords } from '../../ui/numbers.ts'
import { rolloutStates } from './rollout-states.ts'
import classes from './rollouts.module.css'

type Props = { readonly counts: RolloutDetail['counts']; readonly withHelp?: boolean }

/** How far the agents came, in one bar and in words. */
export function RolloutBar({ counts, withHelp = false }: Props) {
  if (counts.total === 0) return <p className={classes.nobody}>No agent follows it there yet.</p>
  const shown = rolloutStates.filter(({ state }) => counts[state] > 0)
  return (
    <div className={classes.progress}>
      <div className={classes.bar} aria-hidden="true">
        {shown.map(({ state }) => (
          <span key={state} data-state={state} style={{ flexGrow: counts[state] }} />
        ))}
      </div>
      <ul className={classes.legend} data-help={withHelp || undefined} aria-label={`${counted(counts.total, 'agent')}`}>
        {shown.map(({ state, word, help }) => (
          <li key={state}>
            <StateMark state={state} />
            <b>{countWords(counts[state])}</b> {word.toLowerCase()}
            {withHelp && <span className={classes.help}>{help}</span>}
          </li>
        ))}
      </ul>
    </div>
  )
}

export function StateMark({ state }: { readonly state: string }) {
  return <span className={classes.mark} data-state={state} aria-hidden="true" />
}
