import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { onlyRead } from './only-read.ts'

const read = onlyRead(({ next }: Record<string, unknown>) => (next === '/fleet' ? { next } : {}))

test('what a page did not read, or refused, is not left for it in the address', () => {
  expect(read({ next: '/fleet', q: 'x' })).toEqual({ next: '/fleet', q: undefined })
  const refused = read({ next: 'https://elsewhere.example' })
  expect({ next: 'https://elsewhere.example', ...refused }).toEqual({ next: undefined })
})

test('the environment chosen for the whole console stays', () => {
  expect({ environment: 'production', ...read({ environment: 'production' }) }).toEqual({ environment: 'production' })
})

test('every page reads its address this way', () => {
  const folder = join(import.meta.dirname, '../features')
  const files = globSync('**/route.ts', { cwd: folder })
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8'))
  const reading = texts.flatMap((text) => text.match(/validateSearch:.*/g) ?? [])
  expect(reading.length).toBeGreaterThan(15)
  expect(reading.filter((line) => !/validateSearch: onlyRead\b/.test(line))).toEqual([])
})
