import { type Findings, quote, step } from '../diagnostic.ts'
import { type Dialect, type Rule, type Ruleset, sideEffects, type Tool } from '../model.ts'
import {
  asMap,
  child,
  items,
  linesOf,
  type MapPlace,
  missing,
  type Place,
  type Reading,
  readBoolean,
  readChoice,
  readString,
  refuseUnknown,
  text,
} from './fields.ts'
import { readObservability } from './observability.ts'
import { idSpan, idText, readMode, readRule } from './rule.ts'
import { words } from './words.ts'

const namePattern = /^[a-z0-9][a-z0-9._-]*$/
const nameWords = 'Use lower-case letters, digits, `.`, `-` and `_`, beginning with a letter or digit.'

/** Which vocabulary the document declares. Nothing else can be read without it. */
export function readDialect(root: MapPlace, findings: Findings): Dialect | undefined {
  const place = child(root, 'kind')
  const kind = text(place)
  if (kind === 'Ruleset' || kind === 'ContractBundle') return kind
  const [first] = root.node.entries.values()
  findings.error({
    code: 'doc.kind',
    at: place?.at ?? first?.key.span ?? root.at,
    path: '/kind',
    message: place
      ? `kind must be Ruleset or ContractBundle${kind === undefined ? '' : `, not ${quote(kind)}`}.`
      : 'kind is missing.',
    hint:
      kind === 'Workflow' ? 'This is a workflow document; it is loaded apart from rulesets.' : 'Add `kind: Ruleset`.',
  })
  return undefined
}

/** The whole document; undefined, or a part of it missing, only after a complaint. */
export function readDocument(root: MapPlace, reading: Reading): Ruleset | undefined {
  const { dialect } = reading
  const listKey = words.rules[dialect]
  const known = ['apiVersion', 'kind', 'metadata', 'defaults', 'tools', 'observability', 'observe_alongside', listKey]
  refuseUnknown(root, dialect === 'Ruleset' ? [...known, 'extends'] : known, `a ${dialect}`, reading)
  readApiVersion(root, reading)
  const metadata = readMetadata(root, reading)
  const defaultMode = readDefaults(root, reading)
  const parent =
    dialect === 'Ruleset'
      ? readString(root, 'extends', { code: 'doc.extends', name: 'extends', isRequired: false }, reading)
      : undefined
  const tools = readTools(child(root, 'tools'), reading)
  const observabilityPlace = child(root, 'observability')
  const observability = observabilityPlace && readObservability(observabilityPlace, reading)
  const observeAlongside = readBoolean(root, 'observe_alongside', 'doc.observe_alongside', reading) ?? false
  const rules = readRules(root, listKey, reading)
  if (!metadata || !defaultMode) return undefined
  return {
    dialect,
    ...metadata,
    defaultMode,
    ...(parent === undefined ? {} : { extends: parent }),
    tools,
    ...(observability ? { observability } : {}),
    observeAlongside,
    rules,
  }
}

function readApiVersion(root: MapPlace, reading: Reading): void {
  const place = child(root, 'apiVersion')
  if (!place)
    missing(root, 'apiVersion', 'doc.api_version', 'apiVersion is missing', reading, 'Add `apiVersion: edictum/v1`.')
  else readChoice(place, ['edictum/v1'], 'doc.api_version', 'apiVersion', reading)
}

function readMetadata(root: MapPlace, reading: Reading): Pick<Ruleset, 'name' | 'description'> | undefined {
  const metadata = readBlock(root, 'metadata', 'doc.metadata', reading)
  if (!metadata) return undefined
  refuseUnknown(metadata, ['name', 'description'], 'metadata', reading)
  const name = readString(
    metadata,
    'name',
    {
      code: 'doc.name',
      name: 'name',
      isRequired: true,
      pattern: namePattern,
      patternWords: nameWords,
      charactersMax: reading.limits.nameCharacters,
    },
    reading,
  )
  const rule = {
    code: 'doc.description',
    name: 'description',
    isRequired: false,
    mayBeEmpty: true,
  }
  const description = readString(metadata, 'description', rule, reading)
  return name === undefined ? undefined : { name, ...(description === undefined ? {} : { description }) }
}

function readDefaults(root: MapPlace, reading: Reading): Ruleset['defaultMode'] | undefined {
  const defaults = readBlock(root, 'defaults', 'doc.defaults', reading)
  if (!defaults) return undefined
  refuseUnknown(defaults, ['mode'], 'defaults', reading)
  const place = child(defaults, 'mode')
  if (place) return readMode(place, 'doc.mode', reading)
  missing(
    defaults,
    'mode',
    'doc.mode',
    'mode is missing in defaults',
    reading,
    'Add `mode: enforce` or `mode: observe`.',
  )
  return undefined
}

function readBlock(root: MapPlace, key: string, code: string, reading: Reading): MapPlace | undefined {
  const place = child(root, key)
  if (!place) {
    missing(root, key, code, `${key} is missing`, reading)
    return undefined
  }
  const map = asMap(place)
  if (!map)
    reading.findings.error({
      code,
      at: place.at,
      path: place.path,
      message: `${key} must be a mapping.`,
    })
  return map
}

function readTools(place: Place | undefined, reading: Reading): readonly Tool[] {
  if (!place) return []
  const map = asMap(place)
  if (!map) {
    const message = 'tools must map tool names to their side_effect.'
    reading.findings.error({
      code: 'tools.shape',
      at: place.at,
      path: place.path,
      message,
    })
    return []
  }
  return [...map.node.entries.keys()].flatMap((name) => {
    const tool = child(map, name)
    const read = tool && readTool(name, tool, reading)
    return read ? [read] : []
  })
}

function readTool(name: string, place: Place, reading: Reading): Tool | undefined {
  const tool = asMap(place)
  if (!tool) {
    const message = `The tool ${quote(name)} must be a mapping with a side_effect.`
    reading.findings.error({
      code: 'tools.side_effect',
      at: place.at,
      path: place.path,
      message,
    })
    return undefined
  }
  refuseUnknown(tool, ['side_effect', 'idempotent'], `the tool ${quote(name)}`, reading)
  const idempotent = readBoolean(tool, 'idempotent', 'tools.idempotent', reading) ?? false
  const sideEffectPlace = child(tool, 'side_effect')
  if (!sideEffectPlace) {
    const hint = `Add \`side_effect:\` ${sideEffects.join(', ')}.`
    missing(
      tool,
      'side_effect',
      'tools.side_effect',
      `side_effect of the tool ${quote(name)} is missing`,
      reading,
      hint,
    )
    return undefined
  }
  const sideEffect = readChoice(sideEffectPlace, sideEffects, 'tools.side_effect', 'side_effect', reading)
  return (
    sideEffect && {
      name,
      sideEffect,
      idempotent,
      ...linesOf(tool.node, reading),
    }
  )
}

function readRules(root: MapPlace, key: string, reading: Reading): readonly Rule[] {
  const place = child(root, key)
  const complain = (message: string, at: Place, hint?: string): readonly Rule[] => {
    reading.findings.error({
      code: 'doc.rules',
      at: at.at,
      path: at.path,
      message,
      ...(hint ? { hint } : {}),
    })
    return []
  }
  const mayBeAbsent = child(root, 'extends') !== undefined
  if (!place) {
    if (!mayBeAbsent) missing(root, key, 'doc.rules', `${key} is missing`, reading)
    return []
  }
  if (place.node.is !== 'list') return complain(`${key} must be a list of rules.`, place)
  if (place.node.items.length === 0 && !mayBeAbsent) return complain(`${key} must have at least one entry.`, place)
  const { rules: max } = reading.limits
  if (place.node.items.length > max) {
    const message = `The document has ${place.node.items.length} rules, at most ${max} are accepted.`
    return complain(message, place, 'Split it into several rulesets.')
  }
  const places = items(place.node, place.path)
  refuseRepeatedIds(places, reading)
  return places.flatMap((one) => readRule(one, reading) ?? [])
}

function refuseRepeatedIds(places: readonly Place[], reading: Reading): void {
  const seen = new Map<string, number>()
  for (const place of places) {
    const id = idText(place)
    if (id === undefined) continue
    const at = idSpan(place)
    const earlier = seen.get(id)
    if (earlier === undefined) seen.set(id, at.start)
    else {
      reading.findings.error({
        code: 'rule.duplicate_id',
        at,
        path: step(place.path, 'id'),
        message: `Duplicate rule id ${quote(id)}; the first is on line ${reading.lineOf(earlier)}.`,
        hint: 'Give each rule an id of its own.',
      })
    }
  }
}
