import { expect, test, vi } from 'vitest'
import { documentWith, errorsOf, preRule } from '../test/documents.ts'
import { defaultLimits, parseRuleset, servedBytesMax } from './index.ts'

// Generated documents by the hundred; the machine may be busy.
vi.setConfig({ testTimeout: 120_000 })

const limits = defaultLimits

interface Case {
  readonly name: string
  readonly limit: number
  readonly code: string
  /** A document that has exactly this many of what is limited. */
  readonly make: (count: number) => string
}

/** Other limits are met first at a hundred times: a message, say, then makes the document too large. Any refusal will do. */
const cases: readonly Case[] = [
  {
    name: 'bytes of the document',
    limit: limits.documentBytes,
    code: 'yaml.size',
    make: (count) => {
      const document = `${documentWith(preRule('x'))}# `
      return document + 'a'.repeat(count - document.length)
    },
  },
  {
    name: 'lines',
    limit: limits.lines,
    code: 'yaml.lines',
    make: (count) => documentWith(preRule('x')) + '\n'.repeat(count - 11 - 1),
  },
  {
    name: 'collections inside collections',
    limit: limits.nesting - 5,
    code: 'yaml.depth',
    make: (count) =>
      documentWith(preRule('x').replace('Stopped', `m, metadata: {a: ${'['.repeat(count)}${']'.repeat(count)}}`)),
  },
  {
    name: 'nodes',
    limit: limits.nodes - 38,
    code: 'yaml.nodes',
    make: (count) => documentWith(preRule('x').replace('Stopped', `m, metadata: {a: [${'1,'.repeat(count)}]}`)),
  },
  {
    name: 'aliases',
    limit: limits.aliases,
    code: 'yaml.aliases',
    make: (count) => documentWith(preRule('x').replace('Stopped', `&m m, metadata: {a: [${'*m ,'.repeat(count)}]}`)),
  },
  {
    name: 'keys of a mapping',
    limit: limits.keysPerMapping,
    code: 'yaml.keys',
    make: (count) =>
      documentWith(preRule('x').replace('Stopped', `m, metadata: {${numbered(count, (n) => `k${n}: 1`).join(', ')}}`)),
  },
  {
    name: 'characters of a key',
    limit: limits.keyCharacters,
    code: 'yaml.key_length',
    make: (count) => documentWith(preRule('x').replace('Stopped', `m, metadata: {"${'k'.repeat(count)}": 1}`)),
  },
  {
    name: 'rules',
    limit: limits.rules,
    code: 'doc.rules',
    make: (count) =>
      documentWith(
        numbered(
          count,
          (n) => `  - {id: r${n}, type: session, limits: {max_attempts: 1}, then: {action: block, message: m}}\n`,
        ).join(''),
      ),
  },
  {
    name: 'nesting of an expression',
    limit: limits.expressionDepth,
    code: 'expr.depth',
    make: (count) => documentWith(preRule('x', `${'not: {'.repeat(count)}args.x: {exists: true}${'}'.repeat(count)}`)),
  },
  {
    name: 'characters of a pattern',
    limit: limits.patternCharacters,
    code: 'expr.regex',
    make: (count) => documentWith(preRule('x', `args.x: {matches: "${'é'.repeat(count)}"}`)),
  },
  {
    name: 'characters of a message',
    limit: limits.messageCharacters,
    code: 'rule.message',
    make: (count) => documentWith(preRule('x').replace('Stopped', '😀'.repeat(count))),
  },
  {
    name: 'characters of an id',
    limit: limits.nameCharacters,
    code: 'rule.id',
    make: (count) => documentWith(preRule('a'.repeat(count))),
  },
]

/** Of this thread's own work: other tests on the machine do not count. */
function millisecondsSince(started: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(started)
  return (user + system) / 1_000
}

function numbered(count: number, make: (n: number) => string): readonly string[] {
  return Array.from({ length: count }, (_, n) => make(n))
}

test.each(cases)(
  'the limit on $name: at it accepted, one more refused, a hundred times refused fast',
  ({ limit, code, make }) => {
    const at = parseRuleset(make(limit))
    expect(errorsOf(at).slice(0, 3)).toEqual([])
    const over = errorsOf(parseRuleset(make(limit + 1)))
    expect(over.map((one) => one.code)).toContain(code)
    expect(over.every((one) => one.line >= 1 && one.message.length > 10)).toBe(true)
    const huge = make(limit * 100)
    const heap = process.memoryUsage().heapUsed
    const started = process.threadCpuUsage()
    expect(parseRuleset(huge).ok).toBe(false)
    expect(millisecondsSince(started)).toBeLessThan(3_000)
    expect(process.memoryUsage().heapUsed - heap).toBeLessThan(300_000_000)
  },
)

test('what is served has a limit of its own', () => {
  const document = `${documentWith(preRule('x'))}# `
  const at = document + 'a'.repeat(servedBytesMax - document.length)
  expect(parseRuleset(at, { isServed: true }).ok).toBe(true)
  expect(errorsOf(parseRuleset(`${at}a`, { isServed: true }))[0]?.code).toBe('yaml.size')
})

/** Half a megabyte of each: what a YAML reader might be slow at. */
const repeated: readonly (readonly [string, (bytes: number) => string])[] = [
  ...[
    '[',
    '{a: ',
    '- ',
    '? ',
    ': ',
    'a: b: ',
    '\n',
    '#\n',
    ' \n',
    '"',
    "'a'\n",
    '&a ',
    '*a ',
    '!a ',
    '---\n',
    '%FOO\n',
    '?\n',
    ':\n',
    ',',
    '|\n',
    '-\n',
    '[]',
    ']',
    '}',
    'a:\n b\n  c: d\n e\n',
    '? a\n: b\n',
    '\t',
    '<<: ',
    'a: 1\r\n',
  ].map((piece): readonly [string, (bytes: number) => string] => [
    JSON.stringify(piece),
    (bytes) => piece.repeat(bytes / piece.length),
  ]),
  ['commas in brackets', (bytes) => `[${','.repeat(bytes)}]`],
  ['empty pairs in brackets', (bytes) => `[${': ,'.repeat(bytes / 3)}]`],
  ['one long word', (bytes) => 'a'.repeat(bytes)],
  ['one long quoted text', (bytes) => `"${'\\"'.repeat(bytes / 2)}"`],
  ['one long text over many lines', (bytes) => `a: "${'w\n  '.repeat(bytes / 4)}"`],
  ['one long block of text', (bytes) => `a: |\n${'  w\n'.repeat(bytes / 4)}`],
  ['a long key', (bytes) => `${'k'.repeat(bytes)}: 1`],
  ['many different keys', (bytes) => numbered(bytes / 10, (n) => `k${n}: 1`).join('\n')],
  ['the same key again and again', (bytes) => 'k: 1\n'.repeat(bytes / 5)],
  ['ever deeper blocks', (bytes) => numbered(Math.sqrt(2 * bytes), (n) => `${' '.repeat(n)}a:`).join('\n')],
  ['anchors on everything', (bytes) => `[${'&a a,'.repeat(bytes / 5)}]`],
]

test.each(repeated)('half a megabyte of %s is refused within 3 s and 300 MB', (_, make) => {
  const source = make(servedBytesMax)
  const heap = process.memoryUsage().heapUsed
  const started = process.threadCpuUsage()
  const result = parseRuleset(source)
  expect(millisecondsSince(started)).toBeLessThan(3_000)
  expect(process.memoryUsage().heapUsed - heap).toBeLessThan(300_000_000)
  expect(result.ok).toBe(false)
  expect(errorsOf(result).length).toBeLessThanOrEqual(201)
})
