import type { EvaluatedRule, Evaluation } from '@countersign/wire'
import { useState } from 'react'
import { wordsFor } from '../../api/problem.ts'
import { Arguments } from '../../ui/arguments/arguments.tsx'
import { ChevronDownIcon, ChevronRightIcon } from '../../ui/icons.tsx'
import { durationWords } from '../../ui/instants.ts'
import { Notice } from '../../ui/notice.tsx'
import { counted } from '../../ui/numbers.ts'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import { verdictOf } from '../../ui/verdicts.ts'
import { Why } from '../../ui/why.tsx'
import { treeOf } from './condition-tree.ts'
import classes from './rehearse.module.css'
import { outcomeMark } from './words.ts'

type Props = {
  readonly evaluation: Evaluation | undefined
  /** False while something newer has been typed. */
  readonly isCurrent: boolean
  readonly error: unknown
  readonly onGo?: (line: number) => void
}

/** What would happen to the call, why, and what every rule said. */
export function VerdictPane({ evaluation, isCurrent, error, onGo }: Props) {
  if (error !== null && error !== undefined) {
    return (
      <section className={classes.verdict} aria-label="Verdict">
        <Notice tone="bad" title="It could not be tried">
          {wordsFor(error)}
        </Notice>
      </section>
    )
  }
  return (
    <section className={classes.verdict} aria-label="Verdict" aria-busy={!isCurrent}>
      <div className={classes.headLine}>
        <h2>Verdict</h2>
        {evaluation?.is_valid && (
          <span className={ui.faint}>evaluated in {durationWords(Math.max(1, evaluation.evaluation_ms))}</span>
        )}
      </div>
      {!evaluation && <p className={ui.quiet}>Say which tool is called, and what would happen is shown here.</p>}
      {evaluation && !evaluation.is_valid && <Refused evaluation={evaluation} />}
      {evaluation?.is_valid && (
        <div className={classes.result} data-stale={!isCurrent || undefined}>
          <Sentence evaluation={evaluation} />
          {evaluation.post && <AfterIt post={evaluation.post} />}
          <Rules rules={evaluation.rules} onGo={onGo} />
        </div>
      )}
    </section>
  )
}

function Refused({ evaluation: { diagnostics } }: { readonly evaluation: Evaluation }) {
  const [first] = diagnostics
  return (
    <Notice tone="bad" title="The text has errors, so no call can be tried on it">
      {first ? `Line ${first.line}: ${first.message}` : 'See the findings beside the text.'}
    </Notice>
  )
}

function Sentence({ evaluation: { verdict, words, decided_by, hold } }: { readonly evaluation: Evaluation }) {
  return (
    <div className={classes.sentence} role="status">
      <div className={classes.line}>
        <VerdictBadge verdict={verdictOf(verdict ?? '')} />
        {decided_by && !decided_by.is_observed && (
          <span>
            by <code>{decided_by.rule}</code>
          </span>
        )}
        {hold && (
          <span className={ui.quiet}>
            waits {durationWords(hold.timeout_seconds * 1000)}, then{' '}
            {hold.timeout_action === 'allow' ? 'runs' : 'is blocked'}
          </span>
        )}
      </div>
      {decided_by && decided_by.message !== '' && <blockquote>{decided_by.message}</blockquote>}
      {words.map((sentence) => (
        <p key={sentence} className={ui.quiet}>
          {sentence}
        </p>
      ))}
    </div>
  )
}

function AfterIt({ post }: { readonly post: NonNullable<Evaluation['post']> }) {
  return (
    <div className={classes.after}>
      <h3>What the agent would see</h3>
      <p className={ui.quiet}>
        {post.is_suppressed
          ? 'Nothing: the answer is held back.'
          : post.is_replaced
            ? 'The answer with parts of it masked.'
            : 'The answer as it is.'}
      </p>
      {post.warnings.map((warning) => (
        <p key={warning}>{warning}</p>
      ))}
      {!post.is_suppressed && <Arguments json={JSON.stringify(post.result) ?? 'null'} label="Answer" />}
    </div>
  )
}

type RulesProps = { readonly rules: readonly EvaluatedRule[]; readonly onGo: Props['onGo'] }

function Rules({ rules, onGo }: RulesProps) {
  const about = rules.filter(({ outcome, would_fire }) => outcome !== 'not_considered' || would_fire)
  const others = rules.filter((rule) => !about.includes(rule))
  const [isWhole, setWhole] = useState(false)
  if (rules.length === 0) return <p className={ui.quiet}>The text has no rule: every call is allowed.</p>
  return (
    <div>
      <h3>Every rule</h3>
      <ul className={classes.rules}>
        {about.map((rule) => (
          <Rule key={`${rule.id} ${rule.line}`} rule={rule} onGo={onGo} />
        ))}
        {isWhole && others.map((rule) => <Rule key={`${rule.id} ${rule.line}`} rule={rule} onGo={onGo} />)}
      </ul>
      {others.length > 0 && (
        <button type="button" className={classes.more} aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? <ChevronDownIcon size={14} /> : <ChevronRightIcon size={14} />}
          {counted(others.length, 'rule')} not considered
        </button>
      )}
    </div>
  )
}

function Rule({ rule, onGo }: { readonly rule: EvaluatedRule; readonly onGo: Props['onGo'] }) {
  const { id, why, line, condition, is_deciding } = rule
  const mark = outcomeMark(rule)
  return (
    <li data-deciding={is_deciding || undefined}>
      <div className={classes.line}>
        {onGo ? (
          <button type="button" className={classes.ruleName} onClick={() => onGo(line)} title={`Line ${line}`}>
            {id}
          </button>
        ) : (
          <code>{id}</code>
        )}
        <VerdictBadge {...mark} />
        {is_deciding && <span className={ui.word}>decides</span>}
      </div>
      <p className={ui.quiet}>{why}</p>
      {condition.length > 1 && <Why reasons={treeOf(condition)} />}
    </li>
  )
}
