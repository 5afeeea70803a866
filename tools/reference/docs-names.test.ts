import { readdir, readFile } from 'node:fs/promises'
import { beforeAll, expect, test } from 'vitest'
import { makeProgram } from '../../apps/cli/src/program.ts'
import { variables } from '../../apps/server/src/boot/variables.ts'
import { referencePages, routeTables } from './pages.ts'

// What the pages tell people to type is there: a name that was changed and a page that was not are found here.

const root = new URL('../../', import.meta.url)
type Page = { readonly name: string; readonly text: string }
let pages: readonly Page[]

beforeAll(async () => {
  const below = await readdir(new URL('docs/', root), { recursive: true })
  // Decisions tell what was true when they were made.
  const names = ['README.md', ...below.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)]
  const kept = names.filter((name) => !name.startsWith('docs/adr/'))
  pages = await Promise.all(kept.map(async (name) => ({ name, text: await readFile(new URL(name, root), 'utf8') })))
})

/** What is set as code: the lines of blocks, and spans within text. */
function codeIn(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^ *```[^\n]*\n([\s\S]*?)^ *```/gm)].flatMap(([, block = '']) =>
    block.replaceAll('\\\n', ' ').split('\n'),
  )
  const rest = text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '')
  return [...blocks, ...[...rest.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replaceAll('\n', ' '))]
}

function eachName(find: (text: string) => readonly string[], isThere: (name: string) => boolean): readonly string[] {
  const found = pages.flatMap(({ name, text }) => find(text).map((one) => ({ name, one })))
  expect(found.length, 'names that were found').toBeGreaterThan(10)
  return found.filter(({ one }) => !isThere(one)).map(({ name, one }) => `${name}: ${one}`)
}

test('every variable a page names is read by the server or the command line', async () => {
  const known = new Set(Object.values(variables).flatMap(({ name }) => [name, `${name}_FILE`]))
  const reference = await readFile(new URL('docs/reference/cli.md', root), 'utf8')
  for (const [name] of reference.matchAll(/COUNTERSIGN_[A-Z0-9_]+/g)) known.add(name)
  const named = (text: string): readonly string[] =>
    [...text.matchAll(/\bCOUNTERSIGN_[A-Z0-9_]+/g)].map(([name]) => name)
  expect(eachName(named, (name) => known.has(name))).toEqual([])
})

test('every command and option a page tells to type is one of the command line', () => {
  const typed = (text: string): readonly string[] =>
    codeIn(text).flatMap((code) =>
      [...code.matchAll(/(?<!database )\bcountersign (?:-- )?([a-z][^|;&<>]*)/g)]
        .map(([, words = '']) => words.trim())
        .filter((words) => !words.startsWith('ready on')),
    )
  expect(eachName(typed, isCommand)).toEqual([])
})

type Command = Pick<ReturnType<typeof makeProgram>, 'name' | 'options'> & { readonly commands: readonly Command[] }

function isCommand(typed: string): boolean {
  const nothing = (): void => undefined
  let command: Command = makeProgram({ env: {}, print: nothing, complain: nothing, exitWith: nothing, fail: nothing })
  const options = new Set(['--help', '--version'])
  const take = (): void => {
    for (const { long } of command.options) if (long) options.add(long)
  }
  take()
  const words = typed.split(/\s+/)
  for (const word of words) {
    if (command.commands.length === 0 || !/^[a-z]/.test(word)) break
    const next: Command | undefined = command.commands.find((one) => one.name() === word)
    if (!next) return false
    command = next
    take()
  }
  return words.filter((word) => word.startsWith('--')).every((word) => options.has(word.split('=')[0] ?? ''))
}

test('every address of the API a page names has a route', async () => {
  const { native, edictum, rack, publicLog } = await routeTables()
  const patterns = [
    ...native.map(({ path }) => `/api/v2${path}`),
    ...edictum.flatMap(({ path }) => [`/api/v1${path}`, `/v1${path}`, path]),
    ...rack.map(({ path }) => `/api/v1${path}`),
    ...publicLog.map(({ path }) => `/trail${path}`),
    '/api/v2/openapi.json',
    // There once Google is configured.
    '/api/v1/auth/web/callback',
  ].map((path) => path.split('/'))
  const isRoute = (address: string): boolean => {
    const parts = address.replace(/[.,:]$/, '').split('/')
    return patterns.some(
      (pattern) =>
        pattern.length === parts.length &&
        pattern.every((part, at) => part.startsWith(':') || part === parts[at] || /^[:<{]/.test(parts[at] ?? '')),
    )
  }
  const addresses = (text: string): readonly string[] =>
    codeIn(text).flatMap((code) =>
      [...code.matchAll(/(?<![\w.])(?:https?:\/\/[\w.:-]+)?(\/(?:api\/v[12]|v1)\/[\w:<>{}./-]+)/g)].map(
        ([, address = '']) => address,
      ),
    )
  expect(eachName(addresses, isRoute)).toEqual([])
})

test('every metric a page names is one the server tells', async () => {
  const { 'metrics.md': page = '' } = await referencePages()
  const known = new Set([...page.matchAll(/`(countersign_\w+)`/g)].map(([, name]) => name))
  const named = (text: string): readonly string[] =>
    codeIn(text).flatMap((code) => [...code.matchAll(/\bcountersign_(?!owner|app\b)\w+/g)].map(([name]) => name))
  expect(eachName(named, (name) => known.has(name))).toEqual([])
})

test('every script and every file a page points at is there', async () => {
  const { scripts } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { scripts: object }
  const typed = (text: string): readonly string[] =>
    [...text.matchAll(/\bnpm run (?:-s |--silent )?([\w:-]+)/g)].map(([, name = '']) => name)
  expect(eachName(typed, (name) => Object.hasOwn(scripts, name))).toEqual([])
  const missing: string[] = []
  for (const { name, text } of pages)
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?:|mailto:|#)/.test(link)) continue
      const [path = ''] = link.split('#')
      await readFile(new URL(path, new URL(name, root))).catch(({ code }: { code: string }) => {
        if (code !== 'EISDIR') missing.push(`${name}: ${link}`)
      })
    }
  expect(missing).toEqual([])
})

test('every guarantee the threat model quotes is a test of the file it names', async () => {
  const page = 'docs/threat-model.md'
  const text = pages.find(({ name }) => name === page)?.text ?? ''
  const quoted = [...text.matchAll(/\]\(([^)\s]+\.test\.ts)\) “([^|]+)” \|$/gm)]
  // A row whose quotation has another form would otherwise go unread.
  expect(quoted.length).toBe([...text.matchAll(/\.test\.ts\)/g)].length)
  expect(quoted.length).toBeGreaterThan(30)
  const untrue: string[] = []
  for (const [, file = '', title = ''] of quoted) {
    const source = await readFile(new URL(file, new URL(page, root)), 'utf8')
    if (!source.includes(`${title}'`) && !source.includes(`${title}\``)) untrue.push(`${file}: ${title}`)
  }
  expect(untrue).toEqual([])
})
