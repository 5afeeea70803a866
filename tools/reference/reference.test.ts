import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { referencePages } from './pages.ts'

test('the printed reference says what the code does: run npm run reference after a change', async () => {
  for (const [name, text] of Object.entries(await referencePages())) {
    const kept = await readFile(new URL(`../../docs/reference/${name}`, import.meta.url), 'utf8')
    expect(kept, name).toBe(text)
  }
})
