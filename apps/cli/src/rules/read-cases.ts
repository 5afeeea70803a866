import type { JsonValue } from '@countersign/rules'
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { type CallInput, isObject, readCall } from './call-input.ts'
import type { Finding } from './findings.ts'
import type { TriedVerdict } from './try-call.ts'

/** What a call must come to. What is not said is not looked at. */
export type Expectation = {
  readonly verdict: TriedVerdict
  readonly rule?: string
  readonly message?: string
  readonly observed?: readonly string[]
  readonly fired?: readonly string[]
}

export type Case = {
  readonly name: string
  readonly line: number
  readonly input: CallInput
  readonly expect: Expectation
}

export type CasesFile =
  | { readonly ok: true; readonly ruleset: string; readonly cases: readonly Case[] }
  | { readonly ok: false; readonly findings: readonly Finding[] }

const caseFields = ['name', 'call', 'expect', 'rule', 'message', 'observed', 'fired']
const verdicts: readonly string[] = ['allow', 'block', 'hold']

/** Reads a file of cases. Whatever is wrong is told with its place; nothing is guessed and nothing skipped. */
export function readCases(file: string, text: string): CasesFile {
  const findings: Finding[] = []
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, maxAliasCount: 100, uniqueKeys: true } as object)
  const tell = (offset: number, message: string, hint?: string): void => {
    const { line, col } = lines.linePos(offset)
    const place = { line: Math.max(1, line), column: Math.max(1, col) }
    findings.push({
      file,
      severity: 'error',
      ...place,
      endLine: place.line,
      endColumn: place.column,
      code: 'cases',
      message,
      hint,
    })
  }
  for (const error of document.errors) tell(error.pos[0], error.message.split('\n')[0] ?? 'It is no YAML.')
  const root = document.contents
  if (findings.length > 0) return { ok: false, findings }
  const ruleset = isMap(root) ? root.get('ruleset') : undefined
  const list = isMap(root) ? root.get('cases', true) : undefined
  if (!isMap(root) || typeof ruleset !== 'string' || !isSeq(list) || list.items.length === 0) {
    tell(
      startOf(root),
      'A file of cases must name its ruleset and list its cases.',
      'ruleset: payments.yaml, cases: [...]',
    )
    return { ok: false, findings }
  }
  const cases = list.items.flatMap((item) => {
    const offset = startOf(item as Node)
    const made = isMap(item) ? readCase(item.toJS(document) as JsonValue, lines.linePos(offset).line) : undefined
    if (made === undefined) tell(offset, 'A case must be a mapping.')
    else if (typeof made === 'string') tell(offset, made)
    else return [made]
    return []
  })
  return findings.length > 0 ? { ok: false, findings } : { ok: true, ruleset, cases }
}

function readCase(given: JsonValue, line: number): Case | string {
  if (!isObject(given)) return 'A case must be a mapping.'
  const unknown = Object.keys(given).find((name) => !caseFields.includes(name))
  if (unknown !== undefined) return `A case has no field "${unknown}". It has ${caseFields.join(', ')}.`
  const { name, call, expect, rule, message, observed, fired } = given
  if (typeof name !== 'string' || name === '') return 'A case needs a name that says what is guaranteed.'
  if (typeof expect !== 'string' || !verdicts.includes(expect)) return `expect must be one of ${verdicts.join(', ')}.`
  const input = readCall(call)
  if (typeof input === 'string') return input
  for (const [field, value] of [
    ['rule', rule],
    ['message', message],
  ] as const)
    if (value !== undefined && typeof value !== 'string') return `${field} must be text.`
  for (const [field, value] of [
    ['observed', observed],
    ['fired', fired],
  ] as const)
    if (value !== undefined && !isTexts(value)) return `${field} must list rule ids.`
  return {
    name,
    line,
    input,
    expect: {
      verdict: expect as TriedVerdict,
      ...(typeof rule === 'string' ? { rule } : {}),
      ...(typeof message === 'string' ? { message } : {}),
      ...(isTexts(observed) ? { observed } : {}),
      ...(isTexts(fired) ? { fired } : {}),
    },
  }
}

function isTexts(value: JsonValue | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function startOf(node: Node | null): number {
  if (node === null) return 0
  const [first] = isMap(node) ? node.items : []
  const key = first?.key
  return (isScalar(key) ? key.range?.[0] : undefined) ?? node.range?.[0] ?? 0
}
