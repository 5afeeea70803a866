import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeEventParser, type StreamEvent } from './event-stream.ts'

function parseIn(parts: readonly string[]): StreamEvent[] {
  const heard: StreamEvent[] = []
  const parse = makeEventParser((event) => heard.push(event))
  for (const part of parts) parse(part)
  return heard
}

const word = fc.stringMatching(/^[a-z_]{1,10}$/)
const line = fc.string({ unit: 'grapheme' }).filter((text) => text !== '' && !/[\r\n]/.test(text))
const event = fc.record({
  name: word,
  data: fc.array(line, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n')),
})

test('events are heard as they were sent, however the network cuts them and whatever ends their lines', () => {
  fc.assert(
    fc.property(fc.array(event), fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat(2_000)), (events, end, cuts) => {
      const text = events
        .map(({ name, data }) => {
          const lines = data.split('\n').map((one) => `data: ${one}`)
          return [': ping', `event: ${name}`, 'id: 7', ...lines, '', ''].join(end)
        })
        .join('')
      const at = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b)
      const parts = [0, ...at].map((start, index) => text.slice(start, at[index]))
      // A lone carriage return at the very end waits for what may follow it.
      expect(parseIn([...parts, ':\n'])).toEqual(events)
    }),
  )
})

test('whatever comes, the parser does not throw, and tells only what has a name and data', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 200 })), (parts) => {
      for (const { name, data } of parseIn(parts))
        expect([name, data].every((text) => typeof text === 'string')).toBe(true)
    }),
  )
  expect(parseIn(['data: nameless\n\nevent: empty\n\nevent\ndata\n\n'])).toEqual([])
})

test('an event or a line that never ends is not collected for ever', () => {
  const endless = (part: string) => () => {
    const parse = makeEventParser(() => undefined)
    for (let sent = 0; sent < 100; sent += 1) parse(part)
  }
  expect(endless('x'.repeat(100_000))).toThrow('too large')
  expect(endless(`data: ${'x'.repeat(100_000)}\n`)).toThrow('too large')
})
