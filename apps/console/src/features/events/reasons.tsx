import { Plain } from '../../ui/plain/plain.tsx'
import ui from '../../ui/ui.module.css'
import type { Reason } from '../../ui/why.tsx'
import type { EventDetail } from './types.ts'

type Told = { readonly reasons: readonly Reason[]; readonly source: string }

/** What the agent says it evaluated, as a tree; where it says little, no more is made of it than it says. */
export function reasonsOf(detail: EventDetail): Told {
  const { rules_evaluated, rule, reason, series } = detail
  if (Array.isArray(rules_evaluated) && rules_evaluated.length > 0) {
    return {
      reasons: rules_evaluated.map((told: unknown, index) => reasonOf(recordOf(told), String(index))),
      source: 'As the agent reported it.',
    }
  }
  if (rule !== null) {
    return {
      reasons: [
        {
          id: 'rule',
          words: (
            <>
              <code>{rule}</code> {reason !== null && <Plain text={reason} />}
            </>
          ),
          holds: series === 'allowed',
        },
      ],
      source: 'The agent named the rule; it did not send what it compared.',
    }
  }
  if (reason !== null) return { reasons: [], source: reason }
  return {
    reasons: [],
    source: Array.isArray(rules_evaluated)
      ? 'The agent reports that no rule applied to this call.'
      : 'The agent names no rule and does not say which ones it evaluated.',
  }
}

function reasonOf(told: Readonly<Record<string, unknown>>, id: string): Reason {
  const text = (name: string): string | undefined => {
    const value = told[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const { passed, observed, policy_error } = told
  return {
    id,
    ...(typeof passed === 'boolean' && { holds: passed }),
    words: (
      <>
        <code>{text('name') ?? text('id') ?? 'a rule without a name'}</code> {text('message')}
        {observed === true && ' (only observed)'}
        {policy_error === true && ' (the rule itself failed)'}
        {text('type') !== undefined && <span className={ui.faint}> {text('type')}</span>}
      </>
    ),
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
