import { useQuery } from '@tanstack/react-query'
import { Failed, Loading } from '../../ui/list-states.tsx'
import ui from '../../ui/ui.module.css'
import classes from './diff.module.css'
import { revisionQuery } from './queries.ts'
import { RuleMarks } from './rule-marks.tsx'

type Props = { readonly name: string; readonly version: number; readonly environment: string }

/** Where nothing is live there is nothing to compare with: every rule is new. */
export function FirstTime({ name, version, environment }: Props) {
  const { data, error, isError, refetch } = useQuery(revisionQuery(name, version))
  return (
    <section aria-label="Difference" className={classes.group}>
      <div className={classes.head}>
        <h2>
          {environment}: nothing → v{version}
        </h2>
      </div>
      {isError && <Failed what={`v${version} could not be read`} error={error} onRetry={() => void refetch()} />}
      {!data && !isError && <Loading rows={4} />}
      <ul>
        {data?.outline.rules.map((rule) => (
          <li key={rule.id}>
            <div className={classes.ruleHead}>
              <code>{rule.id}</code>
              <RuleMarks rule={rule} />
              <span className={ui.faint}>{rule.tools.length === 0 ? 'every tool' : rule.tools.join(', ')}</span>
            </div>
            <p className={classes.message}>{rule.message}</p>
          </li>
        ))}
      </ul>
    </section>
  )
}
