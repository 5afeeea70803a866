import type { Overview } from '../../api/types.ts'
import { countWords } from '../../ui/numbers.ts'
import { PageLink } from '../../ui/page-link.tsx'
import { Card } from './card.tsx'
import classes from './overview.module.css'

export function TopRules({ rules }: { readonly rules: Overview['top_blocked_rules'] }) {
  const largest = Math.max(1, ...rules.map(({ count }) => count))
  return (
    <Card title="Rules that blocked most" aside={<span className={classes.quiet}>24 hours</span>}>
      {rules.length === 0 ? (
        <p className={classes.none}>No rule blocked a call in the last 24 hours.</p>
      ) : (
        <ul className={classes.rules}>
          {rules.map(({ rule, count }) => (
            <li key={rule ?? ''}>
              <span className={classes.ruleBar} style={{ width: `${(count / largest) * 100}%` }} />
              {rule === null ? (
                <span className={classes.quiet}>no rule named</span>
              ) : (
                <PageLink to="/events" search={{ rule }} className={classes.code}>
                  {rule}
                </PageLink>
              )}
              <b>{countWords(count)}</b>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}
