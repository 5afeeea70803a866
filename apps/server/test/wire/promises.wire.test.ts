import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

test('each of the seventy promises to agents has its test', async () => {
  const folder = new URL('./', import.meta.url)
  const names = (await readdir(folder)).filter((name) => name.endsWith('.wire.test.ts'))
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, folder), 'utf8')))
  const kept = new Set(
    texts.flatMap((text) => [...text.matchAll(/['"`]wire (\d+): /g)].map(([, number]) => Number(number))),
  )
  const promised = Array.from({ length: 70 }, (_, at) => at + 1)
  expect(promised.filter((number) => !kept.has(number))).toEqual([])
})
