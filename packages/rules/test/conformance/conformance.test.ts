import { expect, test } from 'vitest'
import { loadCases } from './cases.ts'
import { knownDefects } from './known-defects.ts'
import { runCase } from './run-case.ts'

const cases = loadCases()

test('there are 206 public cases, one of them known to be defective', () => {
  expect(cases).toHaveLength(206)
  expect([...knownDefects.keys()]).toEqual(['adv-inject-002'])
})

test.each(cases.map((one) => [one.id, one] as const))('public case %s holds', (_, one) => {
  expect(runCase(one)).toEqual([])
})
