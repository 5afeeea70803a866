import { expect, test } from 'vitest'
import { languages, snippetFor } from './snippets.ts'

const facts = { url: 'https://cs.example', agentKey: 'edk_production_abc', environment: 'production', ruleset: 'base' }

test.each(languages.map(({ id }) => id))('the %s snippet carries this server, this key and the ruleset', (language) => {
  const { code } = snippetFor(language, facts)
  for (const fact of [facts.url, facts.agentKey, facts.ruleset]) expect(code).toContain(fact)
})

test('a quote in a name cannot break out of its string', () => {
  const odd = { ...facts, ruleset: `x' "y` }
  expect(snippetFor('curl', odd).code).toContain(`'https://cs.example/v1/rulesets/x'\\'' "y/current'`)
  expect(snippetFor('python', odd).code).toContain('bundle_name="x\' \\"y"')
})
