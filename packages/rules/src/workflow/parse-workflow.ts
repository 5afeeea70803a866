import { collectFindings, type Diagnostic, type Findings, placeIn, quote } from '../diagnostic.ts'
import { toolNameProblem } from '../evaluate/call.ts'
import { compileGlob } from '../evaluate/glob.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import { compilePattern, type Pattern } from '../pattern/pattern.ts'
import { PatternError } from '../pattern/syntax.ts'
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
  readStrings,
  refuseUnknown,
  text,
} from '../read/fields.ts'
import { readSourceText } from '../read/source-text.ts'
import { buildTree } from '../read/tree.ts'
import { parseSyntax } from '../read/yaml-syntax.ts'
import { ConditionError, readCondition } from './condition.ts'
import type { Check, Gate, Stage, Workflow } from './workflow.ts'

export interface WorkflowOptions {
  /** `exec(…)` conditions run commands: only an agent's own process may offer that, never a hosted evaluation. */
  readonly allowsExec?: boolean
  readonly limits?: Partial<Limits>
}

export type WorkflowResult =
  | { readonly ok: true; readonly workflow: Workflow; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }

const stagesMax = 500

/** Bytes to a checked workflow, or everything that is wrong with them. Never throws. */
export function parseWorkflow(source: Uint8Array | string, options: WorkflowOptions = {}): WorkflowResult {
  const limits = { ...defaultLimits, ...options.limits }
  const read = readSourceText(source, limits)
  const findings = collectFindings(read.text)
  if (read.is === 'refused') {
    findings.error(read.finding)
    return { ok: false, diagnostics: findings.list() }
  }
  try {
    const workflow = readText(read.text, limits, findings, options)
    if (!workflow || findings.hasErrors()) return { ok: false, diagnostics: findings.list() }
    return { ok: true, workflow, diagnostics: findings.list() }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    findings.error({ code: 'yaml.parse', at: { start: 0, end: 0 }, message: `Cannot parse the document: ${reason}.` })
    return { ok: false, diagnostics: findings.list() }
  }
}

function readText(source: string, limits: Limits, findings: Findings, options: WorkflowOptions): Workflow | undefined {
  const document = parseSyntax(source, limits, findings)
  const node = document && buildTree(document, source, limits, findings)
  const root = asMap(node && { node, path: '', at: { start: 0, end: 0 } })
  if (!root) {
    if (findings.hasErrors()) return undefined
    const message = 'A workflow must be a mapping (key: value) at its top level.'
    findings.error({ code: 'doc.not_mapping', at: node?.span ?? { start: 0, end: 0 }, message })
    return undefined
  }
  const place = placeIn(source)
  const reading: Reading = {
    findings,
    limits,
    dialect: 'Ruleset',
    customOperators: new Set(),
    customSelectors: new Set(),
    isStrict: false,
    lineOf: (offset) => place(offset).line,
  }
  return readWorkflow(root, reading, options)
}

const namePattern = /^[a-z0-9][a-z0-9._-]*$/
const patternWords = 'Use lower-case letters, digits, `.`, `-` and `_`, beginning with a letter or digit.'

function readWorkflow(root: MapPlace, reading: Reading, options: WorkflowOptions): Workflow | undefined {
  refuseUnknown(root, ['apiVersion', 'kind', 'metadata', 'stages'], 'a Workflow', reading)
  for (const [key, value, code] of [
    ['apiVersion', 'edictum/v1', 'doc.api_version'],
    ['kind', 'Workflow', 'doc.kind'],
  ] as const) {
    const place = child(root, key)
    if (place) readChoice(place, [value], code, key, reading)
    else missing(root, key, code, `${key} is missing`, reading, `Add \`${key}: ${value}\`.`)
  }
  const metadata = readMetadata(root, reading)
  const stages = readStages(root, reading, options)
  return metadata && { ...metadata, stages }
}

function readMetadata(root: MapPlace, reading: Reading): Omit<Workflow, 'stages'> | undefined {
  const metadata = asMap(child(root, 'metadata'))
  if (!metadata) {
    missing(root, 'metadata', 'doc.metadata', 'metadata is missing or not a mapping', reading)
    return undefined
  }
  refuseUnknown(metadata, ['name', 'version', 'description'], 'metadata', reading)
  const charactersMax = reading.limits.nameCharacters
  const rule = { code: 'doc.name', name: 'name', isRequired: true, pattern: namePattern, patternWords, charactersMax }
  const name = readString(metadata, 'name', rule, reading)
  const description = optionalText(metadata, 'description', reading)
  const version = readVersion(metadata, reading)
  return name === undefined
    ? undefined
    : { name, ...(version ? { version } : {}), ...(description === undefined ? {} : { description }) }
}

/** An unquoted number is taken as it reads: versions often look like one. */
function readVersion(metadata: MapPlace, reading: Reading): string | undefined {
  const place = child(metadata, 'version')
  if (place?.node.is === 'scalar' && typeof place.node.value === 'number') return String(place.node.value)
  return optionalText(metadata, 'version', reading)
}

function optionalText(parent: MapPlace, key: string, reading: Reading): string | undefined {
  return readString(parent, key, { code: 'workflow.text', name: key, isRequired: false, mayBeEmpty: true }, reading)
}

function readStages(root: MapPlace, reading: Reading, options: WorkflowOptions): readonly Stage[] {
  const place = child(root, 'stages')
  const refuse = (message: string): readonly Stage[] => {
    const at = place?.at ?? root.at
    reading.findings.error({ code: 'workflow.stages', at, path: '/stages', message })
    return []
  }
  if (place?.node.is !== 'list' || place.node.items.length === 0)
    return refuse('stages must be a list of at least one stage.')
  if (place.node.items.length > stagesMax) return refuse(`A workflow has at most ${stagesMax} stages.`)
  const places = items(place.node, place.path)
  const read = places.flatMap((one, index) => {
    const stage = readStage(one, index === places.length - 1, reading, options)
    return stage ? [{ stage, at: one.at, path: one.path }] : []
  })
  const stages = read.map(({ stage }) => stage)
  const seen = new Set<string>()
  for (const { stage, at, path } of read) {
    if (seen.has(stage.id)) {
      const message = `Duplicate stage id ${quote(stage.id)}.`
      reading.findings.error({ code: 'workflow.duplicate_id', at, path: `${path}/id`, message })
    }
    seen.add(stage.id)
  }
  for (const { entry, exit, id, line } of stages) {
    for (const { condition } of [...entry, ...exit]) {
      if (!('stageId' in condition) || condition.stageId === undefined || seen.has(condition.stageId)) continue
      reading.findings.warn({
        code: 'workflow.unknown_stage',
        at: place.at,
        path: '/stages',
        message: `The stage ${quote(id)} on line ${line} waits for the stage ${quote(condition.stageId)}, which does not exist.`,
      })
    }
  }
  return stages
}

const stageFields = ['id', 'description', 'entry', 'tools', 'checks', 'exit', 'approval', 'terminal']

function readStage(place: Place, isLast: boolean, reading: Reading, options: WorkflowOptions): Stage | undefined {
  const stage = asMap(place)
  if (!stage) {
    reading.findings.error({
      code: 'workflow.stage',
      at: place.at,
      path: place.path,
      message: 'A stage must be a mapping with an id.',
    })
    return undefined
  }
  refuseUnknown(stage, stageFields, 'a stage', reading)
  const charactersMax = reading.limits.nameCharacters
  const rule = { code: 'workflow.id', name: 'id', isRequired: true, pattern: namePattern, patternWords, charactersMax }
  const id = readString(stage, 'id', rule, reading)
  const description = optionalText(stage, 'description', reading)
  const entry = readGates(child(stage, 'entry'), reading, options)
  const exit = readGates(child(stage, 'exit'), reading, options)
  const tools = readTools(child(stage, 'tools'), reading)
  const checks = readChecks(child(stage, 'checks'), reading)
  const approval = readApproval(child(stage, 'approval'), reading)
  const isTerminal = readBoolean(stage, 'terminal', 'workflow.terminal', reading) ?? false
  if (isTerminal && !isLast) {
    const at = child(stage, 'terminal')?.at ?? place.at
    reading.findings.error({
      code: 'workflow.terminal',
      at,
      path: `${place.path}/terminal`,
      message: 'Only the last stage may be terminal.',
    })
  }
  if (!isLast && !['tools', 'checks', 'exit', 'approval'].some((key) => child(stage, key))) {
    const message = 'A stage before the last needs tools, checks, exit or approval: nothing would ever leave it.'
    reading.findings.error({ code: 'workflow.stage', at: place.at, path: place.path, message })
  }
  if (id === undefined) return undefined
  return {
    id,
    ...(description === undefined ? {} : { description }),
    entry,
    tools,
    checks,
    exit,
    ...(approval === undefined ? {} : { approval }),
    isTerminal,
    line: linesOf(stage.node, reading).line,
  }
}

function readApproval(place: Place | undefined, reading: Reading): string | undefined {
  if (!place) return undefined
  const approval = asMap(place)
  if (!approval) {
    const message = 'approval must be a mapping with a message.'
    reading.findings.error({ code: 'workflow.approval', at: place.at, path: place.path, message })
    return undefined
  }
  refuseUnknown(approval, ['message'], 'approval', reading)
  return readString(approval, 'message', { code: 'workflow.approval', name: 'message', isRequired: true }, reading)
}

function readTools(place: Place | undefined, reading: Reading): Stage['tools'] {
  if (!place) return []
  const globs = readStrings(place, { code: 'workflow.tools', name: 'tools', mayBeEmpty: true }, reading) ?? []
  for (const glob of globs) {
    const problem = toolNameProblem(glob)
    if (problem)
      reading.findings.error({
        code: 'workflow.tools',
        at: place.at,
        path: place.path,
        message: `${quote(glob)}: ${problem}`,
      })
  }
  return globs.map((glob) => ({ glob, matches: compileGlob(glob) }))
}

function mapsIn(place: Place | undefined, name: string, reading: Reading): readonly MapPlace[] {
  if (!place) return []
  const refuse = (at: Place, message: string): void => {
    reading.findings.error({ code: `workflow.${name}`, at: at.at, path: at.path, message })
  }
  if (place.node.is !== 'list') {
    refuse(place, `${name} must be a list.`)
    return []
  }
  return items(place.node, place.path).flatMap((item) => {
    const map = asMap(item)
    if (!map) refuse(item, `Each entry of ${name} must be a mapping.`)
    return map ? [map] : []
  })
}

function readGates(place: Place | undefined, reading: Reading, options: WorkflowOptions): readonly Gate[] {
  return mapsIn(place, 'gate', reading).flatMap((gate) => {
    refuseUnknown(gate, ['condition', 'message'], 'a gate', reading)
    const message = optionalText(gate, 'message', reading) ?? ''
    const rule = {
      code: 'workflow.condition',
      name: 'condition',
      isRequired: true,
      charactersMax: reading.limits.patternCharacters,
    }
    const written = readString(gate, 'condition', rule, reading)
    const at = child(gate, 'condition') ?? gate
    if (written === undefined) return []
    try {
      const { condition, hasOddEscape } = readCondition(written)
      if (hasOddEscape) {
        const odd = 'A backslash in a condition must be doubled; SDKs read a single one differently.'
        reading.findings.warn({ code: 'workflow.escape', at: at.at, path: at.path, message: odd })
      }
      if (condition.is === 'exec' && !options.allowsExec) {
        const refused = 'exec conditions run commands and are switched off here.'
        reading.findings.error({ code: 'workflow.exec', at: at.at, path: at.path, message: refused })
        return []
      }
      return [{ text: written, condition, message }]
    } catch (cause) {
      if (!(cause instanceof ConditionError || cause instanceof PatternError)) throw cause
      reading.findings.error({
        code: 'workflow.condition',
        at: at.at,
        path: at.path,
        message: `${quote(written)}: ${cause.message}`,
      })
      return []
    }
  })
}

function readChecks(place: Place | undefined, reading: Reading): readonly Check[] {
  return mapsIn(place, 'check', reading).flatMap((check) => {
    refuseUnknown(check, ['command_matches', 'command_not_matches', 'message'], 'a check', reading)
    const message = readString(check, 'message', { code: 'workflow.check', name: 'message', isRequired: true }, reading)
    const positive = child(check, 'command_matches')
    const negative = child(check, 'command_not_matches')
    const one = positive ?? negative
    if (!one || (positive && negative)) {
      const must = 'A check has exactly one of command_matches and command_not_matches.'
      reading.findings.error({ code: 'workflow.check', at: check.at, path: check.path, message: must })
      return []
    }
    const pattern = readPattern(one, reading)
    return pattern && message !== undefined ? [{ isProhibition: one === negative, pattern, message }] : []
  })
}

function readPattern(place: Place, reading: Reading): Pattern | undefined {
  const source = text(place) ?? ''
  const refuse = (message: string): undefined => {
    reading.findings.error({ code: 'expr.regex', at: place.at, path: place.path, message })
  }
  if (source === '') return refuse('A check needs a non-empty regex.')
  if (source.length > reading.limits.patternCharacters) return refuse('The regex is too long.')
  try {
    return compilePattern(source)
  } catch (cause) {
    if (!(cause instanceof PatternError)) throw cause
    return refuse(`The regex ${quote(source)} does not compile: ${cause.message}, at character ${cause.offset + 1}.`)
  }
}
