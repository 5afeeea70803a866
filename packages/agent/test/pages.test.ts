import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../../', import.meta.url)

for (const name of ['openai-agents', 'langchain']) {
  test(`what the page of ${name} shows is in the example that is run`, () => {
    const page = readFileSync(new URL(`docs/agents/${name}.md`, root), 'utf8')
    const example = readFileSync(new URL(`examples/src/${name}.ts`, root), 'utf8')
    const shown = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code)
    expect(shown).not.toEqual([])
    for (const code of shown) expect(example).toContain(code)
  })
}
