import { expect, test } from 'vitest'
import { subjectWords } from './subjects.ts'

test.each([
  [
    { kind: 'approval', id: 'a1' },
    { tool: 'kubectl_scale', agent_id: 'on-call', environment: 'production' },
    'kubectl_scale by on-call in production',
  ],
  [
    { kind: 'assignment_rule', id: 'r1' },
    { after: { pattern: 'build-*', ruleset: 'base', environment: 'staging' } },
    'build-* gets base in staging',
  ],
  [{ kind: 'assignment_rule', id: 'r1' }, { before: { pattern: 'old-*', ruleset: 'base' } }, 'old-* gets base'],
  [{ kind: 'ruleset', id: 'guard' }, { version: 2, environment: 'production' }, 'guard v2 to production'],
  [
    { kind: 'ruleset', id: 'guard' },
    { agents: ['a', 'b', 'c', 'd', 'e'], environment: 'staging' },
    'guard to a, b, c and 2 more in staging',
  ],
  [{ kind: 'ruleset', id: '-' }, { agents: ['a'], environment: 'staging' }, 'to a in staging'],
  [{ kind: 'agent_key', id: 'k1' }, { label: 'ci runners', environment: 'staging' }, 'ci runners of staging'],
  [{ kind: 'agent_key', id: 'k1' }, { label: '', prefix: 'edk_staging_abc' }, 'edk_staging_abc'],
])('what an act was done to is named from what was recorded: %j', (subject, details, words) => {
  expect(subjectWords(subject, details)).toBe(words)
})

test('an entry that tells nothing of its subject shows what the id is called now, or the id', () => {
  const names = new Map([['k1', 'release bot']])
  expect(subjectWords({ kind: 'agent_key', id: 'k1' }, {}, names)).toBe('release bot')
  expect(subjectWords({ kind: 'approval', id: 'a1' }, {})).toBe('a1')
  expect(subjectWords({ kind: 'something new', id: 'x' }, { tool: 7 })).toBe('x')
})
