import { quote, type Span } from '../diagnostic.ts'
import type { Action, JsonValue, Mode, PostRule, PreRule, Rule, SessionLimits, SessionRule, Then } from '../model.ts'
import { readExpression, type Stage } from './expression.ts'
import {
  asMap,
  child,
  linesOf,
  type MapPlace,
  missing,
  type Place,
  type Reading,
  readBoolean,
  readChoice,
  readCount,
  readString,
  readStrings,
  refuseUnknown,
  text,
  toJson,
} from './fields.ts'
import { actionsOf, type Head, readMessage, readWait } from './rule-parts.ts'
import { readSandbox } from './sandbox.ts'
import { readActionWord } from './words.ts'

const common = ['id', 'type', 'enabled', 'mode'] as const
const known = {
  pre: [...common, 'tool', 'when', 'then'],
  post: [...common, 'tool', 'when', 'then'],
  session: [...common, 'limits', 'then'],
} as const
const types = ['pre', 'post', 'session', 'sandbox'] as const

/** One rule, or undefined after at least one complaint. */
export function readRule(place: Place, reading: Reading): Rule | undefined {
  const rule = asMap(place)
  if (!rule) {
    const message = 'Each rule must be a mapping with an id and a type.'
    reading.findings.error({
      code: 'rule.shape',
      at: place.at,
      path: place.path,
      message,
    })
    return undefined
  }
  const id = readString(
    rule,
    'id',
    {
      code: 'rule.id',
      name: 'id',
      isRequired: true,
      pattern: /^[a-z0-9][a-z0-9_-]*$/,
      patternWords: 'Use lower-case letters, digits, `-` and `_`, beginning with a letter or digit.',
      charactersMax: reading.limits.nameCharacters,
    },
    reading,
  )
  const type = readType(rule, reading)
  const enabled = readBoolean(rule, 'enabled', 'rule.enabled', reading) ?? true
  const mode = readMode(child(rule, 'mode'), 'rule.mode', reading)
  if (type === undefined) {
    readWhatAnyTypeHas(rule, reading)
    return undefined
  }
  const head = {
    id: id ?? '',
    enabled,
    ...(mode ? { mode } : {}),
    ...linesOf(rule.node, reading),
  }
  const read = readBody(type, rule, head, reading)
  return id === undefined ? undefined : read
}

/** Of a rule whose type is not known, so that one mistake does not hide those beside it. */
function readWhatAnyTypeHas(rule: MapPlace, reading: Reading): void {
  if (child(rule, 'tool')) readTool(rule, reading)
  // The later stage may ask for everything the earlier one may.
  if (child(rule, 'when')) readWhen(rule, 'post', reading)
}

function readBody(type: Rule['type'], rule: MapPlace, head: Head, reading: Reading): Rule | undefined {
  switch (type) {
    case 'pre':
      return readPre(rule, head, reading)
    case 'post':
      return readPost(rule, head, reading)
    case 'session':
      return readSession(rule, head, reading)
    case 'sandbox':
      return readSandbox(rule, head, common, reading)
  }
}

function readType(rule: MapPlace, reading: Reading): Rule['type'] | undefined {
  const place = child(rule, 'type')
  if (place) return readChoice(place, types, 'rule.type', 'type', reading)
  missing(rule, 'type', 'rule.type', 'type is missing', reading, 'Add `type:` pre, post, session or sandbox.')
  return undefined
}

export function readMode(place: Place | undefined, code: string, reading: Reading): Mode | undefined {
  return place && readChoice(place, ['enforce', 'observe'], code, 'mode', reading)
}

function readPre(rule: MapPlace, head: Head, reading: Reading): PreRule | undefined {
  refuseUnknown(rule, known.pre, 'a pre rule', reading)
  const tool = readTool(rule, reading)
  const when = readWhen(rule, 'pre', reading)
  const place = readThenPlace(rule, reading)
  const then = place && readThen(place, actionsOf.pre, ['timeout', 'timeout_action', 'timeout_effect'], reading)
  const wait = place && readWait(place, reading)
  if (tool === undefined || !when || !then || !wait) return undefined
  return { type: 'pre', ...head, tool, when, then: { ...then, ...wait } }
}

function readPost(rule: MapPlace, head: Head, reading: Reading): PostRule | undefined {
  refuseUnknown(rule, known.post, 'a post rule', reading)
  const tool = readTool(rule, reading)
  const when = readWhen(rule, 'post', reading)
  const place = readThenPlace(rule, reading)
  const then = place && readThen(place, actionsOf.post, [], reading)
  return tool === undefined || !when || !then ? undefined : { type: 'post', ...head, tool, when, then }
}

function readSession(rule: MapPlace, head: Head, reading: Reading): SessionRule | undefined {
  refuseUnknown(rule, known.session, 'a session rule', reading)
  const limits = readLimits(rule, reading)
  const place = readThenPlace(rule, reading)
  const then = place && readThen(place, actionsOf.session, [], reading)
  return limits && then ? { type: 'session', ...head, limits, then } : undefined
}

function readTool(rule: MapPlace, reading: Reading): string | undefined {
  const charactersMax = reading.limits.nameCharacters
  return readString(rule, 'tool', { code: 'rule.tool', name: 'tool', isRequired: true, charactersMax }, reading)
}

function readWhen(rule: MapPlace, stage: Stage, reading: Reading): PreRule['when'] | undefined {
  const place = child(rule, 'when')
  if (!place) {
    missing(rule, 'when', 'rule.when', 'when is missing', reading)
    return undefined
  }
  if (place.node.is === 'map') return readExpression(place, stage, reading)
  const message = 'when must be an expression: all, any, not, or one selector with one operator.'
  reading.findings.error({
    code: 'rule.when',
    at: place.at,
    path: place.path,
    message,
  })
  return undefined
}

function readThenPlace(rule: MapPlace, reading: Reading): MapPlace | undefined {
  const place = child(rule, 'then')
  const then = asMap(place)
  if (then) return then
  if (!place) missing(rule, 'then', 'rule.then', 'then is missing', reading)
  else {
    const message = 'then must be a mapping with an action and a message.'
    reading.findings.error({
      code: 'rule.then',
      at: place.at,
      path: place.path,
      message,
    })
  }
  return undefined
}

function readThen<Allowed extends Action>(
  then: MapPlace,
  allowed: readonly Allowed[],
  extra: readonly string[],
  reading: Reading,
): Then<Allowed> | undefined {
  refuseUnknown(then, ['action', 'effect', 'message', 'tags', 'metadata', ...extra], 'then', reading)
  const action = readActionWord(then, allowed, reading)
  const message = readMessage(then, reading)
  const tagsPlace = child(then, 'tags')
  const tags = tagsPlace ? readStrings(tagsPlace, { code: 'rule.tags', name: 'tags', mayBeEmpty: true }, reading) : []
  const metadata = readMetadata(child(then, 'metadata'), reading)
  return action && message !== undefined && tags && metadata ? { action, message, tags, metadata } : undefined
}

function readMetadata(place: Place | undefined, reading: Reading): Readonly<Record<string, JsonValue>> | undefined {
  if (!place) return {}
  const value = toJson(place.node)
  if (isObject(value)) return value
  reading.findings.error({
    code: 'rule.metadata',
    at: place.at,
    path: place.path,
    message: 'metadata must be a mapping.',
  })
  return undefined
}

function isObject(value: JsonValue): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function readLimits(rule: MapPlace, reading: Reading): SessionLimits | undefined {
  const place = child(rule, 'limits')
  const limits = asMap(place)
  if (!place) {
    missing(rule, 'limits', 'rule.limits', 'limits is missing', reading)
    return undefined
  }
  const names = ['max_tool_calls', 'max_attempts', 'max_calls_per_tool']
  if (!limits || limits.node.entries.size === 0) {
    const message = `limits must hold at least one of ${names.join(', ')}.`
    reading.findings.error({
      code: 'rule.limits',
      at: place.at,
      path: place.path,
      message,
    })
    return undefined
  }
  refuseUnknown(limits, names, 'limits', reading)
  const maxToolCalls = readLimit(limits, 'max_tool_calls', reading)
  const maxAttempts = readLimit(limits, 'max_attempts', reading)
  const maxCallsPerTool = readLimitsPerTool(child(limits, 'max_calls_per_tool'), reading)
  return {
    ...(maxToolCalls === undefined ? {} : { maxToolCalls }),
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    maxCallsPerTool,
  }
}

function readLimit(limits: MapPlace, key: string, reading: Reading): number | undefined {
  const place = child(limits, key)
  return place && readCount(place, 'rule.limits', `limits.${key}`, reading)
}

function readLimitsPerTool(place: Place | undefined, reading: Reading): SessionLimits['maxCallsPerTool'] {
  if (!place) return []
  const map = asMap(place)
  if (!map || map.node.entries.size === 0) {
    const message = 'limits.max_calls_per_tool must map at least one tool to a number.'
    reading.findings.error({
      code: 'rule.limits',
      at: place.at,
      path: place.path,
      message,
    })
    return []
  }
  return [...map.node.entries.keys()].flatMap((tool) => {
    const count = child(map, tool)
    const max = count && readCount(count, 'rule.limits', `limits.max_calls_per_tool of ${quote(tool)}`, reading)
    return max === undefined ? [] : [{ tool, max }]
  })
}

/** Where a rule's id stands, for complaints about two rules at once. */
export function idSpan(place: Place): Span {
  const rule = asMap(place)
  return (rule && child(rule, 'id')?.at) ?? place.at
}

export function idText(place: Place): string | undefined {
  const rule = asMap(place)
  return rule && text(child(rule, 'id'))
}
