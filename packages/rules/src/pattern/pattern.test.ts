import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { parsePattern } from './parse-pattern.ts'
import { compilePattern } from './pattern.ts'
import { toProgram } from './program.ts'
import { runProgram } from './run-program.ts'
import { PatternError } from './syntax.ts'

// Generated documents by the hundred; the machine may be busy.
vi.setConfig({ testTimeout: 120_000 })

interface Answer {
  readonly pattern: string
  readonly error?: true
  readonly answers?: readonly (readonly [string, readonly [number, number] | null])[]
}

/** Made by python-answers.py with CPython 3.11. */
const recorded: readonly Answer[] = JSON.parse(readFileSync(new URL('python-answers.json', import.meta.url), 'utf8'))

function pointsOf(text: string): Int32Array {
  return Int32Array.from(Array.from(text, (character) => character.codePointAt(0) ?? 0))
}

test('a pattern loads exactly when Python accepts it, and finds exactly what Python finds', () => {
  expect(recorded.length).toBeGreaterThanOrEqual(1500)
  let asked = 0
  for (const { pattern, error, answers } of recorded) {
    if (error) {
      expect(() => parsePattern(pattern), pattern).toThrow(PatternError)
      continue
    }
    const parsed = parsePattern(pattern)
    const program = toProgram(parsed.root, parsed.groups)
    const compiled = compilePattern(pattern)
    for (const [text, span] of answers ?? []) {
      asked += 1
      const found = runProgram(program, pointsOf(text), 0, { steps: 1_000_000 })
      const seen = found.is === 'match' ? [found.start, found.end] : null
      expect(seen, `${JSON.stringify(pattern)} on ${JSON.stringify(text)}`).toEqual(span)
      expect(compiled.test(text), `${JSON.stringify(pattern)} on ${JSON.stringify(text)}`).toBe(span ? 'match' : 'none')
    }
  }
  expect(asked).toBeGreaterThan(9_000)
})

test('exponential backtracking is impossible for a pattern without look-around', () => {
  const started = performance.now()
  for (const pattern of [
    '^(a+)+$',
    '(a|a)*b',
    '(a*)*b',
    '(?:a?){30}a{30}$',
    '(x+x+)+y',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
  ]) {
    const answer = compilePattern(pattern).test(`${'a'.repeat(9_999)}!`)
    expect(answer, pattern).not.toBe('exhausted')
  }
  expect(performance.now() - started).toBeLessThan(2_000)
})

test('the step budget ends a costly pattern instead of hanging', () => {
  const started = performance.now()
  expect(compilePattern('(?=(a+)+$)').test(`${'a'.repeat(5_000)}!`)).toBe('exhausted')
  expect(compilePattern('(a+)+\\1$').test(`${'a'.repeat(5_000)}!`)).toBe('exhausted')
  expect(compilePattern(`${'(a)'.repeat(1_000)}(?=(${'(b)?'.repeat(1_000)}c)+$)`).test('a'.repeat(9_000))).not.toBe(
    'match',
  )
  expect(performance.now() - started).toBeLessThan(1_000)
})

test('only the first 10,000 characters are looked at, counted as code points', () => {
  expect(compilePattern('b').test(`${'a'.repeat(9_999)}b`)).toBe('match')
  expect(compilePattern('b').test(`${'a'.repeat(10_000)}b`)).toBe('none')
  expect(compilePattern('b').test(`${'😀'.repeat(9_999)}b`)).toBe('match')
  expect(compilePattern('b').test(`${'😀'.repeat(10_000)}b`)).toBe('none')
})

test('every occurrence in the whole text is replaced, beyond the first 10,000 characters too', () => {
  const pattern = compilePattern('sk-[a-z]+')
  expect(pattern.replace(`sk-a 😀 sk-bc${' '.repeat(20_000)}sk-d.`, '[REDACTED]')).toBe(
    `[REDACTED] 😀 [REDACTED]${' '.repeat(20_000)}[REDACTED].`,
  )
  expect(compilePattern('x*').replace('axxb', '-')).toBe('a-b')
})

test('whatever the pattern and the text, the answer comes and nothing is thrown but a pattern error', () => {
  const piece = fc.constantFrom(
    ...'ab(){}[]*+?|^$.\\1dwsbBZ-,0:=!<>Pixm#é😀'.split(''),
    '(?',
    '(?:',
    '\\w',
    '{2,',
    '(?=',
    '(?<',
  )
  const pattern = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''))
  let accepted = 0
  fc.assert(
    fc.property(
      pattern,
      fc.string({ unit: fc.constantFrom('a', 'b', '1', ' ', 'é', '😀', '\n'), maxLength: 30 }),
      (source, text) => {
        let compiled: ReturnType<typeof compilePattern>
        try {
          compiled = compilePattern(source)
        } catch (cause) {
          expect(cause).toBeInstanceOf(PatternError)
          return
        }
        accepted += 1
        const started = performance.now()
        expect(['match', 'none', 'exhausted']).toContain(compiled.test(text))
        expect(performance.now() - started).toBeLessThan(1_000)
      },
    ),
    { numRuns: 5_000 },
  )
  expect(accepted).toBeGreaterThan(1_000)
})
