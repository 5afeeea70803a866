import type { CheckedRuleset } from '@countersign/wire'
import { wordsFor } from '../../api/problem.ts'
import { AllowIcon, ClockIcon, FailIcon } from '../../ui/icons.tsx'
import { counted } from '../../ui/numbers.ts'
import classes from './editor.module.css'

type Props = {
  readonly checked: CheckedRuleset | undefined
  readonly isCurrent: boolean
  readonly error: unknown
  readonly name: string | null
}

/** One line about the text as it stands. */
export function CheckStatus({ checked, isCurrent, error, name }: Props) {
  const { tone, words } = stateOf({ checked, isCurrent, error, name })
  const Icon = { good: AllowIcon, bad: FailIcon, plain: ClockIcon }[tone]
  return (
    <p className={classes.status} data-tone={tone} role="status">
      <Icon size={14} />
      {words}
    </p>
  )
}

function stateOf({ checked, isCurrent, error, name }: Props): {
  readonly tone: 'good' | 'bad' | 'plain'
  readonly words: string
} {
  if (error !== null && error !== undefined) return { tone: 'bad', words: `Not checked: ${wordsFor(error)}` }
  if (!checked || !isCurrent) return { tone: 'plain', words: 'Checking' }
  const errors = checked.diagnostics.filter(({ severity }) => severity === 'error').length
  const warnings = checked.diagnostics.length - errors
  if (!checked.is_valid) return { tone: 'bad', words: counted(errors, 'error') }
  if (checked.same_as_version !== null) {
    return { tone: 'plain', words: `The same text as v${checked.same_as_version} of ${checked.name ?? 'this ruleset'}` }
  }
  const rules = counted(checked.outline?.rules.length ?? 0, 'rule')
  const warned = warnings > 0 ? `, ${counted(warnings, 'warning')}` : ''
  const named = name !== null && checked.name !== name ? `; names itself ${checked.name}` : ''
  return { tone: 'good', words: `Valid: ${rules}${warned}${named}` }
}
