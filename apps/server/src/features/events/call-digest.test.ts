import fc from 'fast-check'
import { expect, test } from 'vitest'
import { callDigest } from './call-digest.ts'

const words = { tool: 'read_file', verdict: 'call_allowed', mode: 'enforce', rule: '' }
const payload = (args: unknown, principal: unknown = null, call = '1'): string =>
  JSON.stringify({ call_id: call, principal, tool_args: args })

test('calls share a digest exactly when nothing that is decided on, or was, sets them apart', () => {
  const one = callDigest('production', words, payload({ path: 'a' }))
  expect(one).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  expect(callDigest('production', words, payload({ path: 'a' }, null, '2'))).toBe(one)
  const others = [
    callDigest('staging', words, payload({ path: 'a' })),
    callDigest('production', { ...words, tool: 'write' }, payload({ path: 'a' })),
    callDigest('production', { ...words, verdict: 'call_blocked' }, payload({ path: 'a' })),
    callDigest('production', { ...words, mode: 'observe' }, payload({ path: 'a' })),
    callDigest('production', { ...words, rule: 'r' }, payload({ path: 'a' })),
    callDigest('production', words, payload({ path: 'a' }, { role: 'root' })),
    callDigest('production', words, payload({ path: 'b' })),
  ]
  expect(new Set([one, ...others]).size).toBe(others.length + 1)
})

test('events that tell of no decision have none: no replay ever asks for them', () => {
  expect(callDigest('production', { ...words, verdict: 'call_executed' }, payload({}))).toBeUndefined()
})

test('nothing that is written into one part passes for another part', () => {
  const word = fc.string({ maxLength: 6 }).map((text) => text.replace(/[\0-\x1f\x7f]/g, ''))
  fc.assert(
    fc.property(fc.tuple(word, word, word), fc.tuple(word, word, word), (a, b) => {
      const digest = ([tool, mode, rule]: readonly [string, string, string]) =>
        callDigest('e', { tool, mode, rule, verdict: 'call_allowed' }, payload({}))
      expect(digest(a) === digest(b)).toBe(a.join('\n') === b.join('\n'))
    }),
  )
})
