import {
  entryBytes,
  entryBytesMax,
  type Json,
  type JsonObject,
  makePersonKey,
  readEntry,
  sealFacts,
} from '@countersign/trail'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Act, dataSubjectOf, entryOf, personalFactsOf } from './act.ts'

const id = '0190f5a0-0000-7000-8000-000000000001'
const at = new Date('2026-02-28T10:00:00.123Z')
const plain: Act = {
  tenant: null,
  act: 'route.refused',
  outcome: 'refused',
  actor: { kind: 'anyone', id: '-' },
  subject: { kind: 'route', id: '/x' },
}

test('an entry holds no address, user agent, name or e-mail in clear', () => {
  const act: Act = {
    ...plain,
    actor: { kind: 'person', id: 'p1' },
    subject: { kind: 'person', id: 'p2' },
    request: { id: 'r1', address: '192.0.2.7', userAgent: 'curl/8' },
    personal: { actor: { email: 'ada@example.com' }, subject: { email: 'bob@example.com' } },
  }
  expect(JSON.stringify(entryOf(act, id, at))).not.toMatch(/192\.0\.2\.7|curl|ada|bob/)
  expect(personalFactsOf(act, at)).toEqual([
    {
      dataSubject: 'person:p1',
      facts: { actor: { email: 'ada@example.com' }, request: { address: '192.0.2.7', user_agent: 'curl/8' } },
    },
    { dataSubject: 'person:p2', facts: { subject: { email: 'bob@example.com' } } },
  ])
})

test('who acts upon themselves has one box, who says nothing personal has none', () => {
  const self: Act = {
    ...plain,
    actor: { kind: 'person', id: 'p1' },
    subject: { kind: 'person', id: 'p1' },
    personal: { actor: { name: 'a' }, subject: { name: 'b' } },
  }
  expect(personalFactsOf(self, at)).toEqual([
    { dataSubject: 'person:p1', facts: { actor: { name: 'a' }, subject: { name: 'b' } } },
  ])
  expect(personalFactsOf(plain, at)).toEqual([])
})

test('strangers share a key for each month', () => {
  expect(dataSubjectOf({ kind: 'anyone', id: '-' }, at)).toBe('anyone:2026-02')
  expect(dataSubjectOf({ kind: 'anyone', id: 'x' }, new Date('2026-03-01T00:00:00Z'))).toBe('anyone:2026-03')
})

test('details that are too long are cut, and say so', () => {
  const { details } = entryOf({ ...plain, details: { yaml: 'x'.repeat(1_000_000) } }, id, at)
  expect(details).toMatchObject({ cut: true, bytes: 1_000_011 })
})

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.constantFrom(
    '\ud800',
    'a\udc00b',
    '\0',
    '',
    '\u0001'.repeat(70_000),
    '\u{1f600}'.repeat(5000),
    `${'a'.repeat(1998)}\u{1f600}b`,
  ),
)
const anyJson: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    anyText,
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(anyText, tie('value'), { maxKeys: 3 }),
  ),
})).value

test('nobody escapes the record by being odd: whatever a stranger chooses, there is an entry and it is readable', () => {
  const oddAct = fc.record({
    actorId: anyText,
    keyId: anyText,
    subjectId: anyText,
    requestId: anyText,
    address: anyText,
    userAgent: anyText,
    details: fc.dictionary(anyText, anyJson, { maxKeys: 3 }),
    facts: fc.dictionary(anyText, anyJson, { maxKeys: 3 }),
  })
  const key = makePersonKey()
  fc.assert(
    fc.property(oddAct, (odd) => {
      const act: Act = {
        ...plain,
        actor: { kind: 'agent_key', id: odd.actorId, key_id: odd.keyId },
        subject: { kind: 'route', id: odd.subjectId },
        request: { id: odd.requestId, address: odd.address, userAgent: odd.userAgent },
        details: odd.details,
        personal: { actor: odd.facts, subject: odd.facts },
      }
      const sealed = personalFactsOf(act, at).map(({ facts }) => sealFacts(key, id, facts))
      const bytes = entryBytes({ ...entryOf(act, id, at), sealed })
      expect(bytes.length).toBeLessThanOrEqual(entryBytesMax)
      expect(readEntry(bytes).id).toBe(id)
    }),
    { numRuns: 60 },
  )
})

test('the longest of everything still fits', () => {
  const worst = '\u0001'.repeat(100_000)
  const big: JsonObject = { x: '\u0001'.repeat(600) }
  const act: Act = {
    ...plain,
    actor: { kind: 'agent_key', id: worst, key_id: worst },
    subject: { kind: 'route', id: worst },
    request: { id: worst, address: worst, userAgent: worst },
    details: { x: '\u0001'.repeat(3990) },
    personal: { actor: big, subject: big },
  }
  const sealed = personalFactsOf(act, at).map(({ facts }) => sealFacts(makePersonKey(), id, facts))
  const entry = entryOf(act, id, at)
  expect(entry.details).not.toHaveProperty('cut')
  expect(entryBytes({ ...entry, sealed }).length).toBeLessThanOrEqual(entryBytesMax)
})

test('nesting without end is cut off', () => {
  let nested: Json = 1
  for (let i = 0; i < 1000; i++) nested = [nested]
  expect(JSON.stringify(entryOf({ ...plain, details: { nested } }, id, at).details)).toContain('…')
})

test('what is fitted is written the same, whatever the order in which it was told', () => {
  const turned = (value: Json): Json => {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(turned)
    return Object.fromEntries(
      Object.entries(value)
        .map(([name, item]): [string, Json] => [name, turned(item)])
        .toReversed(),
    )
  }
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (details) => {
      const one = entryOf({ ...plain, details: details as JsonObject }, id, at)
      const other = entryOf({ ...plain, details: turned(details as JsonObject) as JsonObject }, id, at)
      expect(entryBytes(other)).toEqual(entryBytes(one))
    }),
  )
})
