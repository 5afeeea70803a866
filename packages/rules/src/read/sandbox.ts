import type { SandboxRule } from '../model.ts'
import {
  asMap,
  child,
  headOf,
  type MapPlace,
  missing,
  type Place,
  type Reading,
  readString,
  readStrings,
  refuseUnknown,
} from './fields.ts'
import { actionsOf, type Head, readMessage, readWait } from './rule-parts.ts'
import { readValueWord } from './words.ts'

const fields = [
  'tool',
  'tools',
  'within',
  'not_within',
  'allows',
  'not_allows',
  'outside',
  'timeout',
  'timeout_action',
  'timeout_effect',
  'message',
]

export function readSandbox(
  rule: MapPlace,
  head: Head,
  common: readonly string[],
  reading: Reading,
): SandboxRule | undefined {
  refuseUnknown(rule, [...common, ...fields], 'a sandbox rule', reading)
  const tools = readTools(rule, reading)
  const within = strings(rule, 'within', 'rule.within', reading)
  const notWithin = strings(rule, 'not_within', 'rule.within', reading, true)
  const allows = group(rule, 'allows', ['commands', 'domains'], reading)
  const notAllows = group(rule, 'not_allows', ['domains'], reading)
  if (!child(rule, 'within') && !child(rule, 'allows')) {
    const hint = 'Add `within:` with path prefixes, or `allows:` with commands or domains.'
    missing(rule, 'within', 'rule.within', 'A sandbox rule needs within or allows', reading, hint)
  }
  needs(rule, 'not_within', 'within', child(rule, 'within'), reading)
  needs(rule, 'not_allows', 'allows', child(rule, 'allows'), reading)
  const allowedDomains = allows && strings(allows, 'domains', 'rule.allows', reading)
  const blockedDomains = notAllows && strings(notAllows, 'domains', 'rule.allows', reading)
  if (notAllows && allows)
    needs(notAllows, 'domains', 'allows.domains', child(allows, 'domains'), reading, 'not_allows.domains')
  const allowedCommands = allows && strings(allows, 'commands', 'rule.allows', reading)
  if (allows && !within) warnOpenFiles(allows, reading)
  const outsidePlace = child(rule, 'outside')
  const outside = outsidePlace
    ? readValueWord(outsidePlace, actionsOf.sandbox, 'rule.action', 'The action of outside', reading)
    : 'block'
  const wait = readWait(rule, reading)
  const message = readMessage(rule, reading)
  if (!tools || !outside || !wait || message === undefined) return undefined
  return {
    type: 'sandbox',
    ...head,
    tools,
    ...(within ? { within } : {}),
    notWithin: notWithin ?? [],
    ...(allowedCommands ? { allowedCommands } : {}),
    ...(allowedDomains ? { allowedDomains } : {}),
    blockedDomains: blockedDomains ?? [],
    outside,
    message,
    ...wait,
  }
}

function readTools(rule: MapPlace, reading: Reading): readonly string[] | undefined {
  const one = child(rule, 'tool')
  const many = child(rule, 'tools')
  if (one && many) {
    const message = 'A sandbox rule has either tool or tools, not both.'
    reading.findings.error({
      code: 'rule.tool',
      at: many.at,
      path: many.path,
      message,
      hint: 'Move the one into `tools:`.',
    })
    return undefined
  }
  if (many) return readStrings(many, { code: 'rule.tool', name: 'tools' }, reading)
  const charactersMax = reading.limits.nameCharacters
  const tool = readString(
    rule,
    'tool',
    {
      code: 'rule.tool',
      name: 'tool (or tools)',
      isRequired: true,
      charactersMax,
    },
    reading,
  )
  return tool === undefined ? undefined : [tool]
}

function strings(
  parent: MapPlace,
  key: string,
  code: string,
  reading: Reading,
  mayBeEmpty = false,
): readonly string[] | undefined {
  const place = child(parent, key)
  return place && readStrings(place, { code, name: key, mayBeEmpty }, reading)
}

function group(rule: MapPlace, key: string, known: readonly string[], reading: Reading): MapPlace | undefined {
  const place = child(rule, key)
  if (!place) return undefined
  const map = asMap(place)
  if (map) refuseUnknown(map, known, key, reading)
  else {
    const message = `${key} must be a mapping with ${known.join(' and ')}.`
    reading.findings.error({
      code: 'rule.allows',
      at: place.at,
      path: place.path,
      message,
    })
  }
  return map
}

/** The first word is all that is looked at: what a redirection behind it writes is a question of paths. */
function warnOpenFiles(allows: MapPlace, reading: Reading): void {
  const commands = child(allows, 'commands')
  if (!commands) return
  reading.findings.warn({
    code: 'sandbox.files_open',
    at: commands.at,
    path: commands.path,
    message: 'A list of commands alone bounds no files: `ls > /etc/passwd` begins with ls.',
    hint: 'Add `within:` with the folders these commands may read and write.',
  })
}

function needs(
  parent: MapPlace,
  key: string,
  other: string,
  otherPlace: Place | undefined,
  reading: Reading,
  shown = key,
): void {
  const place = child(parent, key)
  if (!place || otherPlace) return
  reading.findings.error({
    code: 'sandbox.dep',
    at: parent.node.entries.get(key)?.key.span ?? headOf(parent),
    path: place.path,
    message: `${shown} narrows ${other} and means nothing without it.`,
    hint: `Add \`${other}\`, or remove \`${shown}\`.`,
  })
}
