import { stringify } from 'yaml'
import { parseRuleset } from '../../src/index.ts'
import { asData, type Case } from './cases.ts'

/** Refused with the word that names the defect, in either vocabulary where the defect is the same there. */
export function runRejectionCase({ data }: Case): readonly string[] {
  const expected = asData(data['expected'])
  const word = expected['error_contains']
  if (expected['rejected'] !== true || typeof word !== 'string') return ['the case has no expectation']
  const source = stringify(data['bundle'])
  return [
    ...refusal(source, [word], 'Ruleset'),
    ...refusal(
      stringify(olderWords(data['bundle'])),
      [word, word.replace('rules', 'contracts').replace('action', 'effect')],
      'ContractBundle',
    ),
  ]
}

function refusal(source: string, words: readonly string[], where: string): readonly string[] {
  const result = parseRuleset(source)
  if (result.ok) return [`${where}: accepted`]
  const text = result.diagnostics.map((one) => one.message).join('\n')
  const isNamed = words.some((word) => text.toLowerCase().includes(word.toLowerCase()))
  return isNamed ? [] : [`${where}: ${JSON.stringify(text)} lacks ${words.join(' or ')}`]
}

/** The broken document in the older vocabulary. It cannot be rendered, since it cannot be read; so its data is renamed. */
function olderWords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(olderWords)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => {
      if (key === 'kind' && one === 'Ruleset') return [key, 'ContractBundle']
      if (key === 'action' || key === 'outside')
        return [key === 'action' ? 'effect' : key, one === 'block' ? 'deny' : one === 'ask' ? 'approve' : one]
      if (key === 'timeout_action') return ['timeout_effect', one]
      return [key === 'rules' ? 'contracts' : key, olderWords(one)]
    }),
  )
}
