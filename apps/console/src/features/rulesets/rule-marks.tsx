import type { RulesetOutline } from '@countersign/wire'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'

type Rule = Pick<RulesetOutline['rules'][number], 'action' | 'mode' | 'is_enabled' | 'type'>

/** What a rule does to a call, in the colour of that verdict; a rule that only watches would block. */
export function RuleMarks({ rule: { action, mode, is_enabled, type } }: { readonly rule: Rule }) {
  if (!is_enabled) return <span className={ui.word}>off</span>
  if (action === 'block') {
    return mode === 'observe' ? (
      <VerdictBadge verdict="would-block" word="observe" />
    ) : (
      <VerdictBadge verdict="blocked" word="block" />
    )
  }
  if (action === 'ask') {
    return mode === 'observe' ? (
      <VerdictBadge verdict="would-block" word="would ask" />
    ) : (
      <VerdictBadge verdict="held" word="ask" />
    )
  }
  return <span className={ui.word}>{type === 'post' ? action : `${type} ${action}`}</span>
}
