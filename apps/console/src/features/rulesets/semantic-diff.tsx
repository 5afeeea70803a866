import type { SemanticDiff as Diff } from '@countersign/wire'
import type { ReactNode } from 'react'
import { counted } from '../../ui/numbers.ts'
import ui from '../../ui/ui.module.css'
import classes from './diff.module.css'
import { leafChanges, wordsOfField } from './diff-words.ts'
import { RuleMarks } from './rule-marks.tsx'

/** What changes for an agent, rule by rule, in words. */
export function SemanticDiff({ diff }: { readonly diff: Diff }) {
  const { is_same, document, added, removed, changed, modes, moved, tools } = diff
  if (is_same) return <p className={classes.same}>Nothing changes for an agent: the rules are the same.</p>
  return (
    <div className={classes.diff}>
      {document.length > 0 && (
        <Group title="The whole ruleset">
          {document.map((change) => (
            <li key={change.field}>
              <Field {...change} />
            </li>
          ))}
        </Group>
      )}
      {modes.length > 0 && (
        <Group title={`${counted(modes.length, 'rule')} ${modes.length === 1 ? 'changes' : 'change'} mode`}>
          {modes.map(({ id, before, after }) => (
            <li key={id}>
              <code>{id}</code>{' '}
              {after === 'observe'
                ? 'only watches from now on: what it would block is allowed and reported'
                : 'takes effect from now on'}{' '}
              <Sides before={before} after={after} />
            </li>
          ))}
        </Group>
      )}
      {removed.length > 0 && (
        <Group title={`${counted(removed.length, 'rule')} removed`} sign="−">
          {removed.map((rule) => (
            <NamedRule key={rule.id} rule={rule} />
          ))}
        </Group>
      )}
      {added.length > 0 && (
        <Group title={`${counted(added.length, 'rule')} added`} sign="+">
          {added.map((rule) => (
            <NamedRule key={rule.id} rule={rule} />
          ))}
        </Group>
      )}
      {changed.length > 0 && (
        <Group title={`${counted(changed.length, 'rule')} changed`}>
          {changed.map(({ id, type, before_line, after_line, fields }) => (
            <li key={id}>
              <div className={classes.ruleHead}>
                <code>{id}</code>
                <span className={ui.faint}>
                  {type}, {before_line === after_line ? `line ${after_line}` : `line ${before_line}, now ${after_line}`}
                </span>
              </div>
              <ul className={classes.fields}>
                {fields.map((change) => (
                  <li key={change.field}>
                    <Field {...change} />
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </Group>
      )}
      {moved.length > 0 && (
        <Group title="Order">
          <li>
            {moved.map((id, index) => (
              <span key={id}>
                {index > 0 && ', '}
                <code>{id}</code>
              </span>
            ))}{' '}
            {moved.length === 1 ? 'stands' : 'stand'} elsewhere among the rules; the first rule that decides, decides.
          </li>
        </Group>
      )}
      {tools.length > 0 && (
        <Group title="Tools">
          {tools.map(({ name, before, after }) => (
            <li key={name}>
              <code>{name}</code>{' '}
              {before === undefined ? 'is described' : after === undefined ? 'is no longer described' : ''}
              <Leaves before={before} after={after} />
            </li>
          ))}
        </Group>
      )}
    </div>
  )
}

type GroupProps = { readonly title: string; readonly sign?: '+' | '−'; readonly children: ReactNode }

function Group({ title, sign, children }: GroupProps) {
  return (
    <section className={classes.group} data-sign={sign}>
      <h3>
        {sign && <span aria-hidden="true">{sign}</span>}
        {title}
      </h3>
      <ul>{children}</ul>
    </section>
  )
}

type Named = Diff['added'][number]

function NamedRule({ rule }: { readonly rule: Named }) {
  const { id, type, action, mode, message } = rule
  const known = (['block', 'ask', 'warn', 'redact'] as const).find((one) => one === action)
  const kind = (['pre', 'post', 'session', 'sandbox'] as const).find((one) => one === type)
  return (
    <li>
      <div className={classes.ruleHead}>
        <code>{id}</code>
        {known && kind && <RuleMarks rule={{ action: known, type: kind, mode, is_enabled: true }} />}
      </div>
      <p className={classes.message}>{message}</p>
    </li>
  )
}

type FieldProps = { readonly field: string; readonly before?: unknown; readonly after?: unknown }

function Field({ field, before, after }: FieldProps) {
  return (
    <>
      <span className={classes.field}>{wordsOfField(field)}</span>
      <Leaves before={before} after={after} />
    </>
  )
}

function Leaves({ before, after }: { readonly before: unknown; readonly after: unknown }) {
  return leafChanges(before, after).map((leaf) => (
    <span key={leaf.path} className={classes.leaf}>
      {leaf.path !== '' && <code className={classes.path}>{leaf.path}</code>}
      <Sides before={leaf.before} after={leaf.after} />
    </span>
  ))
}

function Sides({ before, after }: { readonly before: string | null; readonly after: string | null }) {
  return (
    <span className={classes.sides}>
      {before !== null && (
        <del>
          <span className="cs-hidden">was </span>
          {before}
        </del>
      )}
      {before !== null && after !== null && <span aria-hidden="true"> → </span>}
      {after !== null && (
        <ins>
          <span className="cs-hidden">is now </span>
          {after}
        </ins>
      )}
    </span>
  )
}
