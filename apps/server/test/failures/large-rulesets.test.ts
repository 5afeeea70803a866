import { afterAll, beforeAll, expect, test } from 'vitest'
import { largeRulesetYaml } from '../rulesets-scene.ts'
import { type ServerApart, serverApart, type TestTenant } from '../server.ts'

let server: ServerApart
let tenant: TestTenant

beforeAll(async () => {
  server = await serverApart()
  tenant = await server.newTenant()
})
afterAll(() => server.stop())

const limit = 524_288
const hostile: readonly (readonly [string, string, number])[] = [
  ['half a megabyte of rules', largeRulesetYaml('large', limit), 200],
  ['half a megabyte of different keys', Array.from({ length: limit / 10 }, (_, n) => `k${n}: 1`).join('\n'), 200],
  ['half a megabyte of commas', `[${','.repeat(limit - 2)}]`, 200],
]

test.each(hostile)('while %s are checked everybody else is answered', async (_, yaml, status) => {
  const begun = performance.now()
  let isChecked = false
  const checking = server
    .call('POST', '/api/v2/rulesets/check', { cookie: tenant.cookie, body: { yaml } })
    .finally(() => {
      isChecked = true
    })
  let slowest = 0
  while (!isChecked) {
    const asked = performance.now()
    expect((await server.call('GET', '/api/v1/health/live')).status).toBe(200)
    slowest = Math.max(slowest, performance.now() - asked)
  }
  const answer = await checking
  expect(answer.status, answer.text.slice(0, 300)).toBe(status)
  const total = performance.now() - begun
  // Read in the event loop, one of them would have waited for nearly all of it.
  expect(slowest, `the check took ${Math.round(total)} ms`).toBeLessThan(Math.max(100, total / 2))
})
