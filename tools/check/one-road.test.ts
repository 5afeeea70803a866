import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const sources = globSync('{apps,packages,tools,examples}/**/*.ts', {
  cwd: root,
  exclude: (path) => path.includes('node_modules') || path.includes('/dist/'),
}).filter((path) => !/\.(?:browser\.|wire\.)?test\.ts$/.test(path))

const textOf = (path: string): string => readFileSync(join(root, path), 'utf8')
const importsGovern = /import\s*(?:type\s*)?\{[^}]*\bgovern\b[^}]*\}\s*from\s*'@countersign\/pipeline'/

test('every governed call takes the one road: govern() is called from exactly the places that carry calls', () => {
  // The rack and MCP surfaces join this list when they are there; anything else is a second road.
  expect(sources.filter((path) => importsGovern.test(textOf(path)))).toEqual(['packages/agent/src/govern-call.ts'])
  // Enough was looked at for that to mean something.
  expect(sources.length).toBeGreaterThan(500)
})

test('in the agent nothing but the road runs a tool: no other file is given what executes it and calls it', () => {
  const calls = sources
    .filter((path) => path.startsWith('packages/agent/src/'))
    .filter((path) => /\bexecution\.run\(|\bawait run\(copyJson|#execution\b/.test(textOf(path)))
  expect(calls).toEqual(['packages/agent/src/govern-call.ts'])
})
