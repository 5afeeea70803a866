import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { starter } from '../../features/rulesets/starter.ts'
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

test("the README names the languages that are here, and the editor's first ruleset", async () => {
  const readme = await readFile(new URL('../../../../../README.md', import.meta.url), 'utf8')
  const [last, ...others] = languages.map(({ word }) => word).toReversed()
  expect(readme.replaceAll('\n', ' ')).toContain(
    `${others.toReversed().join(', ')} and ${last}, with your address and key`,
  )
  const name = /^  name: (.*)$/m.exec(starter)?.[1]
  expect(readme).toContain(`bundle_name="${name}"`)
  expect(readme).toContain(`metadata:\n  name: ${name}\n`)
})
