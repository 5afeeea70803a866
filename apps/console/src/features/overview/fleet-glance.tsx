import type { Overview } from '../../api/types.ts'
import { counted, countWords } from '../../ui/numbers.ts'
import { PageLink } from '../../ui/page-link.tsx'
import { Card } from './card.tsx'
import classes from './overview.module.css'

const states = [
  { state: 'current', word: 'Current', help: 'run, or last ran, what is rolled out' },
  { state: 'updating', word: 'Updating', help: 'about to take what was just rolled out' },
  { state: 'drifting', word: 'Drifting', help: 'run something else' },
  { state: 'silent', word: 'Silent', help: 'not heard of for long' },
  { state: 'unknown', word: 'Unknown', help: 'never said what they run' },
] as const

export function FleetGlance({ fleet }: { readonly fleet: Overview['fleet'] }) {
  return (
    <Card
      title="Fleet"
      aside={
        <span className={classes.quiet}>
          {countWords(fleet.connected)} of {counted(fleet.total, 'agent')} connected
        </span>
      }
    >
      {fleet.total === 0 ? (
        <p className={classes.none}>No agent has connected yet.</p>
      ) : (
        <>
          <div className={classes.fleetBar} aria-hidden="true">
            {states.map(({ state }) => (
              <span key={state} data-state={state} style={{ flexGrow: fleet[state] }} />
            ))}
          </div>
          <ul className={classes.fleet}>
            {states.map(({ state, word, help }) => (
              <li key={state}>
                <span className={classes.fleetMark} data-state={state} />
                <PageLink to="/fleet" search={{ status: state }}>
                  {word}
                </PageLink>
                <span className={classes.quiet}>{help}</span>
                <b>{countWords(fleet[state])}</b>
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  )
}
