import type { EvaluatedRule } from '@countersign/wire'
import type { Verdict } from '../../ui/verdicts.ts'

type Mark = { readonly verdict: Verdict; readonly word: string }

/** What a rule made of the call, in the colour of that verdict. */
export function outcomeMark(rule: Pick<EvaluatedRule, 'outcome' | 'is_observed' | 'action' | 'would_fire'>): Mark {
  if (rule.outcome === 'not_considered') {
    return rule.would_fire
      ? { verdict: 'unknown', word: 'would fire too' }
      : { verdict: 'unknown', word: 'not considered' }
  }
  if (rule.outcome === 'did_not_fire') return { verdict: 'allowed', word: 'lets it pass' }
  if (rule.is_observed) return { verdict: 'would-block', word: `would ${rule.action}` }
  if (rule.action === 'block') return { verdict: 'blocked', word: 'blocks' }
  if (rule.action === 'ask') return { verdict: 'held', word: 'asks' }
  return { verdict: 'held', word: rule.action }
}
