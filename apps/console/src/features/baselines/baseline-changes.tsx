import type { BaselinesPreview } from '@countersign/wire'
import { wordsFor } from '../../api/problem.ts'
import { Notice } from '../../ui/notice.tsx'
import { counted } from '../../ui/numbers.ts'
import { SemanticDiff } from '../rulesets/semantic-diff.tsx'
import classes from './baselines.module.css'

type Props = {
  readonly preview: BaselinesPreview | undefined
  /** False while what is shown belongs to what was chosen a moment ago. */
  readonly isCurrent: boolean
  readonly error: unknown
  readonly environment: string
}

/** Ruleset by ruleset what their agents would get, and which of them stands in the way. */
export function BaselineChanges({ preview, isCurrent, error, environment }: Props) {
  if (error !== null && error !== undefined) return <Notice tone="bad">{wordsFor(error)}</Notice>
  if (!preview) return <p className={classes.quiet}>Looking what would change</p>
  if (preview.problem !== null) return <Notice tone="bad">{preview.problem}</Notice>
  const changed = preview.rulesets.filter(({ is_changed }) => is_changed)
  return (
    <section aria-label="What would change" aria-busy={!isCurrent} className={classes.changes}>
      <h3 role="status">
        {changed.length === 0
          ? `No ruleset is live in ${environment} that would change`
          : `${counted(changed.length, 'live ruleset')} would be rolled out anew`}
      </h3>
      <ul>
        {changed.map(({ ruleset, version, semantic, problem }) => (
          <li key={ruleset}>
            {problem === null ? (
              <details className={classes.details}>
                <summary>
                  <strong>{ruleset}</strong> <span className={classes.quiet}>live: v{version}</span>
                  <span className={classes.counts}>{semantic && countsOf(semantic)}</span>
                </summary>
                {semantic && <SemanticDiff diff={semantic} />}
              </details>
            ) : (
              <Notice tone="bad" title={`${ruleset} stands in the way`}>
                {problem} Nothing is changed until it can include them: give one of the two rules another id, or choose
                another version.
              </Notice>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

type Semantic = NonNullable<BaselinesPreview['rulesets'][number]['semantic']>

function countsOf({ is_same, added, removed, changed }: Semantic): string {
  if (is_same) return 'same rules'
  const words = [
    added.length > 0 && `+${added.length}`,
    removed.length > 0 && `−${removed.length}`,
    changed.length > 0 && `${changed.length} changed`,
  ].filter((word) => word !== false)
  return words.length === 0 ? 'other order' : `${words.join(' ')} rules`
}
