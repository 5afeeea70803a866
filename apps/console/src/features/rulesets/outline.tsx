import type { CheckedRuleset, RulesetOutline } from '@countersign/wire'
import { useRef } from 'react'
import { FailIcon } from '../../ui/icons.tsx'
import classes from './editor.module.css'
import { RuleMarks } from './rule-marks.tsx'

type Props = {
  readonly checked: CheckedRuleset | undefined
  /** Why the text could not be checked at all. */
  readonly problem: string | undefined
  readonly onGo: (line: number, column?: number) => void
}

/** What is wrong first, then what the text says; each line of it leads to its place. */
export function Outline({ checked, problem, onGo }: Props) {
  // While a text is being written it is invalid most of the time; the outline of a moment ago still finds the place.
  const last = useRef<RulesetOutline | null>(null)
  if (checked?.outline) last.current = checked.outline
  const outline = last.current
  const isOfBefore = outline !== null && checked !== undefined && !checked.outline
  const findings = checked?.diagnostics ?? []
  return (
    <aside className={classes.side} aria-label="Outline">
      {problem && <p className={classes.problem}>{problem}</p>}
      {findings.length > 0 && (
        <section aria-label="Findings">
          <h2>Findings</h2>
          <ul>
            {findings.slice(0, 100).map(({ severity, code, message, hint, line, column, offset }) => (
              <li key={`${offset} ${code} ${message}`}>
                <button
                  type="button"
                  className={classes.finding}
                  data-severity={severity}
                  onClick={() => onGo(line, column)}
                >
                  <FailIcon size={14} />
                  <span>
                    <span className={classes.where}>
                      {severity === 'error' ? 'Error' : 'Warning'}, line {line}
                    </span>
                    <span>{message}</span>
                    {hint && <span className={classes.hint}>{hint}</span>}
                  </span>
                </button>
              </li>
            ))}
          </ul>
          {findings.length > 100 && <p className={classes.hint}>and {findings.length - 100} more</p>}
        </section>
      )}
      {outline && (
        <>
          <section aria-label="Rules">
            <h2>
              Rules{' '}
              <span className={classes.where}>
                {isOfBefore
                  ? 'of the text before its last mistake'
                  : `${outline.default_mode} unless a rule says otherwise`}
              </span>
            </h2>
            <ul>
              {outline.rules.map((rule) => (
                <li key={`${rule.id} ${rule.line}`}>
                  <button type="button" className={classes.rule} onClick={() => onGo(rule.line)} title={rule.message}>
                    <code>{rule.id}</code>
                    <span className={classes.about}>
                      {rule.tools.length === 0 ? 'every tool' : rule.tools.join(', ')}
                    </span>
                    <RuleMarks rule={rule} />
                  </button>
                </li>
              ))}
            </ul>
            {outline.rules.length === 0 && <p className={classes.hint}>No rule yet: every call is allowed.</p>}
          </section>
          {outline.tools.length > 0 && (
            <section aria-label="Tools">
              <h2>Tools</h2>
              <ul>
                {outline.tools.map((tool) => (
                  <li key={tool.name}>
                    <button type="button" className={classes.rule} onClick={() => onGo(tool.line)}>
                      <code>{tool.name}</code>
                      <span className={classes.about}>{tool.side_effect}</span>
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          )}
          {outline.extends !== null && <p className={classes.hint}>Extends {outline.extends}.</p>}
        </>
      )}
    </aside>
  )
}
