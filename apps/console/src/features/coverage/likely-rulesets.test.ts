import type { AgentCoverageRow } from '@countersign/wire'
import { expect, test } from 'vitest'
import { likelyRulesets } from './likely-rulesets.ts'

const row = (agent_id: string, ruleset: string | null): AgentCoverageRow => ({
  agent_id,
  environment: 'production',
  display_name: null,
  source: ruleset === null ? 'nothing' : 'revision',
  running: ruleset === null ? null : { ruleset, version: 1, revision_hash: 'h' },
  tools: 1,
  enforced: 0,
  observed: 0,
  ungoverned: 1,
  calls: 1,
  last_seen_at: '2026-03-03T12:00:00.000Z',
})

test('a rule is offered first to what most of the agents that use the tool run', () => {
  const tool = {
    tool: 'ls',
    agent_count: 4,
    calls: 9,
    agents: ['a', 'b', 'c', 'gone'].map((agent_id) => ({ agent_id, environment: 'production' })),
  }
  expect(likelyRulesets(tool, [row('a', 'one'), row('b', 'two'), row('c', 'two')])).toEqual(['two', 'one'])
  expect(likelyRulesets(tool, [row('a', null)])).toEqual([])
})
