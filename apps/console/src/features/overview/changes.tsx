import type { Overview } from '../../api/types.ts'
import { actWords } from '../../ui/acts.ts'
import { Instant } from '../../ui/instant.tsx'
import { PageLink } from '../../ui/page-link.tsx'
import { PrincipalChip } from '../../ui/principal-chip.tsx'
import { subjectWords } from '../../ui/subjects.ts'
import { Card } from './card.tsx'
import classes from './overview.module.css'

export function Changes({ changes }: { readonly changes: Overview['changes'] }) {
  return (
    <Card title="What changed" aside={<PageLink to="/trail">Trail</PageLink>}>
      {changes.length === 0 ? (
        <p className={classes.none}>Rollouts, assignments, keys and settings show here when somebody changes them.</p>
      ) : (
        <ul className={classes.changes}>
          {changes.map(({ number, at, act, actor, subject, details }) => (
            <li key={`${at} ${act} ${subject.id}`}>
              <PrincipalChip who={actor} />
              <span className={classes.act}>
                {actWords(act, details)} <span title={subject.id}>{subjectWords(subject, details)}</span>
              </span>
              <span className={classes.when}>
                {number === null ? (
                  <Instant at={at} />
                ) : (
                  <PageLink to="/trail" search={{ entry: String(number) }}>
                    <Instant at={at} />
                  </PageLink>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}
