import { parseRuleset } from '@countersign/rules'
import { expect, test } from 'vitest'
import type { Asked } from './approval.ts'
import { deriveWhy } from './derive-why.ts'

const text = `apiVersion: edictum/v1
kind: Ruleset
metadata:
  name: base
defaults:
  mode: enforce
rules:
  - id: deploys
    type: pre
    tool: deploy
    when:
      all:
        - args.to: { equals: production }
        - args.force: { equals: true }
    then:
      action: ask
      message: 'Deploy {args.version} to production?'
      tags: [release]
  - id: any-token
    type: pre
    tool: '*'
    when:
      args.token: { exists: true }
    then:
      action: ask
      message: A token is used.
  - id: blocked
    type: pre
    tool: deploy
    when:
      args.to: { equals: production }
    then:
      action: block
      message: 'Deploy {args.version} to production?'
`
const parsed = parseRuleset(text)
if (!parsed.ok) throw new Error('the ruleset of this test is refused')
const revision = { ruleset: 'base', version: 3, text, model: parsed.ruleset }

function asked(more: Partial<Asked>): Asked {
  return {
    tenant: 't',
    id: 'i',
    environment: 'production',
    agentId: 'a1',
    keyId: 'k',
    keyPrefix: 'p',
    sessionId: null,
    tool: 'deploy',
    args: '{"to":"production","force":true,"version":"v2"}',
    argsIsRedacted: false,
    argsIsEscaped: false,
    argsSeal: '',
    message: 'Deploy v2 to production?',
    timeoutSeconds: 300,
    deadline: new Date(0),
    onTimeout: 'block',
    revision: 'f'.repeat(64),
    claimedRule: null,
    claimedSource: null,
    policy: { proof: 'session', approvers: 1, excludesOwner: false },
    digest: '',
    createdAt: new Date(0),
    ...more,
  }
}

test('the one rule that asks for exactly this call is found, with its condition as it was written', () => {
  const why = deriveWhy(asked({}), revision)
  expect(why).toMatchObject({ source: 'derived', ruleset: 'base', version: 3, revision: 'f'.repeat(64) })
  expect(why.rules).toEqual([
    {
      id: 'deploys',
      message: 'Deploy {args.version} to production?',
      condition: 'when:\n  all:\n    - args.to: { equals: production }\n    - args.force: { equals: true }',
      tags: ['release'],
    },
  ])
  expect(why.sentence).toContain('Derived')
})

test('when redaction hides what the rule looked at, rules whose message reads alike are told instead', () => {
  const why = deriveWhy(asked({ args: '{"to":"[REDACTED]"}' }), revision)
  expect(why.rules.map(({ id }) => id)).toEqual(['deploys'])
  expect(why.sentence).toContain('a message like this one')
})

test('a rule that only blocks, or another tool’s, is never named as the one that asked', () => {
  expect(deriveWhy(asked({ message: 'Something else' }), revision)).toMatchObject({ source: 'unknown', rules: [] })
  expect(deriveWhy(asked({ tool: 'other' }), revision).rules).toEqual([])
})

test('what the agent claims is shown as a claim', () => {
  expect(deriveWhy(asked({ claimedRule: 'deploys' }), revision)).toMatchObject({
    source: 'claimed',
    rules: [{ id: 'deploys' }],
  })
  expect(deriveWhy(asked({ claimedRule: 'made up' }), revision).rules).toEqual([
    { id: 'made up', message: '', condition: null, tags: [] },
  ])
})

test('an agent whose revision is not known here is said to be just that', () => {
  expect(deriveWhy(asked({ revision: null }), undefined)).toMatchObject({ source: 'unknown', ruleset: null })
  expect(deriveWhy(asked({}), undefined).sentence).toContain('not one of this server')
})
