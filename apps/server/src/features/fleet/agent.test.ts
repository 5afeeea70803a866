import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Agent, learn, mergeNews, type News, runningOf } from './agent.ts'

const name = { tenant: 't', environment: 'production', agentId: 'a1' }
const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1_000)
const fresh = { id: 'id', now: at(0) }
const after = (...all: readonly News[]): Agent | undefined =>
  all.reduce<Agent | undefined>((agent, news) => learn(agent, name, news, fresh).agent, undefined)

test('a claim that is repeated is no newer evidence than what events said since', () => {
  const claim = (second: number): News => ({ stream: { hash: 'new', at: at(second) } })
  const agent = after(claim(1), { event: { hash: 'old', at: at(2) } }, claim(3))
  expect(agent && runningOf(agent)).toEqual({ hash: 'old', source: 'event', at: at(2) })
  const moved = agent && learn(agent, name, { stream: { hash: 'newer', at: at(4) } }, fresh).agent
  expect(moved && runningOf(moved)).toEqual({ hash: 'newer', source: 'stream', at: at(4) })
})

test('events that arrive late do not undo newer ones', () => {
  const agent = after({ event: { hash: 'new', at: at(5) } }, { event: { hash: 'old', at: at(2) } })
  expect(agent && runningOf(agent)?.hash).toBe('new')
})

test('the timeline tells what changed, once', () => {
  const connected: News = { connectedAt: at(1), assignment: { ruleset: 'base', source: 'rule', ruleId: null } }
  const first = learn(undefined, name, connected, fresh)
  expect(first.history.map(({ kind }) => kind)).toEqual(['first_seen', 'connected', 'assignment'])
  const again = learn(first.agent, name, { ...connected, connectedAt: at(9) }, fresh)
  expect(again.history).toEqual([])
})

test('what TypeScript fetches is what it asks for, since it names nothing on its stream', () => {
  expect(after({ client: 'typescript', asked: null }, { fetchedRuleset: 'base' })?.askedRuleset).toBe('base')
  expect(after({ client: 'python', asked: null }, { fetchedRuleset: 'base' })?.askedRuleset).toBe(null)
})

test('an agent that never opened a stream asks for what it fetches by name; one that did asks for what it names there', () => {
  const fetched: News = { namedByFetch: 'base' }
  expect(after(fetched, { seenAt: at(1) })?.askedRuleset).toBe('base')
  expect(after(fetched, { namedByFetch: 'other' })?.askedRuleset).toBe('other')
  expect(after(fetched, { client: 'python', asked: null })?.askedRuleset).toBe(null)
  expect(after({ client: 'python', asked: null }, fetched)?.askedRuleset).toBe(null)
  expect(after({ client: 'go', asked: 'base' }, { namedByFetch: 'other' })?.askedRuleset).toBe('base')
})

test('learning two pieces of news at once or one after the other comes to the same revision and times', () => {
  const sighting = fc.record({ hash: fc.constantFrom('a', 'b', 'c'), at: fc.integer({ min: 0, max: 20 }).map(at) })
  const news = fc.record(
    { event: sighting, eventAt: fc.nat(20).map(at), seenAt: fc.nat(20).map(at) },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(news, news, (one, other) => {
      const together = after(mergeNews(one, other))
      const apart = after(one, other)
      expect(together?.event).toEqual(apart?.event)
      expect(together?.lastEventAt).toEqual(apart?.lastEventAt)
    }),
  )
})
