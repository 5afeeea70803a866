import { quote } from '../diagnostic.ts'
import type { Action, Dialect, TimeoutAction } from '../model.ts'
import { child, headOf, type MapPlace, type Place, type Reading, text } from './fields.ts'

/**
 * The two vocabularies. Both words are understood in both dialects, since documents that mix them exist; the mixed word
 * is pointed out, because released SDKs of that dialect refuse it.
 */
export const words = {
  kind: { Ruleset: 'Ruleset', ContractBundle: 'ContractBundle' },
  rules: { Ruleset: 'rules', ContractBundle: 'contracts' },
  action: { Ruleset: 'action', ContractBundle: 'effect' },
  timeoutAction: {
    Ruleset: 'timeout_action',
    ContractBundle: 'timeout_effect',
  },
  block: { Ruleset: 'block', ContractBundle: 'deny' },
  ask: { Ruleset: 'ask', ContractBundle: 'approve' },
} as const satisfies Readonly<Record<string, Readonly<Record<Dialect, string>>>>

/** A value word in Ruleset vocabulary; anything else as it is. */
export function normalizeWord(word: string): string {
  if (word === words.block.ContractBundle) return words.block.Ruleset
  if (word === words.ask.ContractBundle) return words.ask.Ruleset
  return word
}

export function inDialect(word: string, dialect: Dialect): string {
  if (word === words.block.Ruleset) return words.block[dialect]
  if (word === words.ask.Ruleset) return words.ask[dialect]
  return word
}

export function readActionWord<Allowed extends Action>(
  then: MapPlace,
  allowed: readonly Allowed[],
  reading: Reading,
): Allowed | undefined {
  const place = onlyOne(then, words.action, 'rule.action', reading)
  const name = nameOf('action', reading)
  if (place) return readValueWord(place, allowed, 'rule.action', name, reading)
  const choices = allowed.map((word) => inDialect(word, reading.dialect)).join(' or ')
  reading.findings.error({
    code: 'rule.action',
    at: headOf(then),
    path: `${then.path}/${words.action[reading.dialect]}`,
    message: `${name} is missing.`,
    hint: `Add \`${words.action[reading.dialect]}:\` ${choices}.`,
  })
  return undefined
}

export function readTimeoutAction(parent: MapPlace, reading: Reading): TimeoutAction | undefined {
  const place = onlyOne(parent, words.timeoutAction, 'rule.timeout_action', reading)
  if (!place) return 'block'
  return readValueWord(place, ['block', 'allow'], 'rule.timeout_action', nameOf('timeoutAction', reading), reading)
}

/** The value under either spelling of a word; both are accepted together only when they agree. */
export function readValueWord<Value extends string>(
  place: Place,
  allowed: readonly Value[],
  code: string,
  name: string,
  reading: Reading,
): Value | undefined {
  const word = text(place)
  const value = word === undefined ? undefined : allowed.find((one) => one === normalizeWord(word))
  if (word !== undefined && value !== undefined) {
    if (inDialect(value, reading.dialect) !== word) warnMixed(place, word, inDialect(value, reading.dialect), reading)
    return value
  }
  const choices = allowed.map((one) => `\`${inDialect(one, reading.dialect)}\``).join(' or ')
  const got = word === undefined ? '' : `, not ${quote(word)}`
  reading.findings.error({
    code,
    at: place.at,
    path: place.path,
    message: `${name} must be ${choices}${got}.`,
  })
  return undefined
}

function onlyOne(
  parent: MapPlace,
  word: Readonly<Record<Dialect, string>>,
  code: string,
  reading: Reading,
): Place | undefined {
  const own = child(parent, word[reading.dialect])
  const other = child(parent, word[otherDialect(reading.dialect)])
  if (other) {
    const at = parent.node.entries.get(word[otherDialect(reading.dialect)])?.key.span ?? other.at
    if (own && normalizeWord(text(own) ?? '') !== normalizeWord(text(other) ?? '')) {
      const message = `${word.Ruleset} and ${word.ContractBundle} are the same field and disagree.`
      reading.findings.error({
        code,
        at,
        path: other.path,
        message,
        hint: `Keep only \`${word[reading.dialect]}\`.`,
      })
    } else warnMixed({ ...other, at }, word[otherDialect(reading.dialect)], word[reading.dialect], reading)
  }
  return own ?? other
}

function warnMixed(place: Place, word: string, instead: string, reading: Reading): void {
  reading.findings.warn({
    code: 'doc.mixed_words',
    at: place.at,
    path: place.path,
    message: `\`${word}\` belongs to the ${otherDialect(reading.dialect)} dialect; some SDKs refuse or ignore it in a ${reading.dialect}.`,
    hint: `Write \`${instead}\`.`,
  })
}

/** The Ruleset word is always named, so that both vocabularies find it; the document's own comes first. */
function nameOf(key: 'action' | 'timeoutAction', reading: Reading): string {
  const word = words[key]
  return reading.dialect === 'Ruleset' ? word.Ruleset : `${word.ContractBundle} (action of a Ruleset)`
}

export function otherDialect(dialect: Dialect): Dialect {
  return dialect === 'Ruleset' ? 'ContractBundle' : 'Ruleset'
}
