import type { AssignmentPreview } from '@countersign/wire'
import { wordsFor } from '../../api/problem.ts'
import { Notice } from '../../ui/notice.tsx'
import { counted } from '../../ui/numbers.ts'
import classes from './assignments.module.css'
import { becauseOf } from './words.ts'

type Props = {
  readonly preview: AssignmentPreview | undefined
  /** False while what is shown belongs to what was typed a moment ago. */
  readonly isCurrent: boolean
  readonly error: unknown
  readonly isProtected?: boolean
  readonly withMatched?: boolean
}

/** Which agents would follow another ruleset, each with what it has and what it would have. */
export function PreviewChanges({ preview, isCurrent, error, isProtected = false, withMatched = true }: Props) {
  if (error !== null && error !== undefined) return <Notice tone="bad">{wordsFor(error)}</Notice>
  if (!preview) return <p className={classes.quiet}>Looking who would change</p>
  const { items, changed_count, matched_count } = preview
  return (
    <section
      className={classes.preview}
      aria-label="Preview"
      aria-busy={!isCurrent}
      data-stale={!isCurrent || undefined}
    >
      <h3 role="status">
        {changed_count === 0
          ? 'No agent would change its ruleset'
          : `${counted(changed_count, 'agent')} would change ${changed_count === 1 ? 'its' : 'their'} ruleset${isProtected ? ', in a protected environment' : ''}`}
      </h3>
      {withMatched && (
        <p className={classes.quiet}>
          {matched_count === 0
            ? 'No known agent fits it.'
            : `${counted(matched_count, 'known agent')} ${matched_count === 1 ? 'fits' : 'fit'} it.`}
        </p>
      )}
      {items.length > 0 && (
        <ul>
          {items.map(({ agent_id, environment, is_connected, before, after }) => (
            <li key={`${environment} ${agent_id}`}>
              <div className={classes.agentLine}>
                <code>{agent_id}</code>
                <span className={classes.quiet}>{is_connected ? 'connected: at once' : 'when it returns'}</span>
              </div>
              <div className={classes.change}>
                <span title={becauseOf(before)}>{before.ruleset ?? 'nothing'}</span>
                <span aria-hidden="true">→</span>
                <span className="cs-hidden">becomes</span>
                <strong>{after.ruleset ?? 'nothing'}</strong>
                <span className={classes.quiet}>{becauseOf(after)}</span>
              </div>
            </li>
          ))}
        </ul>
      )}
      {changed_count > items.length && <p className={classes.quiet}>and {changed_count - items.length} more</p>}
    </section>
  )
}
