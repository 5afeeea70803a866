import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const server = 'apps/server/src'

let house: string

beforeEach(() => {
  house = mkdtempSync(join(tmpdir(), 'countersign-layers-'))
  for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json']) cpSync(join(root, file), join(house, file))
  cpSync(join(root, 'tools/check/layers.ts'), join(house, 'tools/check/layers.ts'))
  symlinkSync(join(root, 'node_modules'), join(house, 'node_modules'))
  put(`${server}/kernel/clock.ts`, `export const clock = 1`)
  put(`${server}/features/keys/index.ts`, `export * from './inner.ts'`)
  put(`${server}/features/keys/inner.ts`, `import { clock } from '../../kernel/clock.ts'\nexport const inner = clock`)
})

afterEach(() => {
  rmSync(house, { recursive: true })
})

test('a house in order passes', () => {
  expect(check()).toEqual({ code: 0, output: 'layers: 4 files, 0 faults' })
})

/** Each breaks one rule; all are planted at once, since the checker's start is what takes the time. */
const plants: readonly (readonly [rule: string, file: string, text: string])[] = [
  ['kernel-at-the-bottom', `${server}/kernel/a1.ts`, `import '../features/keys/index.ts'`],
  ['features-through-index', `${server}/features/racks/a2.ts`, `import '../keys/inner.ts'`],
  ['features-through-index-from-elsewhere', `${server}/surfaces/rack/a3.ts`, `import '../../features/keys/inner.ts'`],
  ['features-know-no-surface', `${server}/features/racks/a4.ts`, `import '../../surfaces/native/n.ts'`],
  ['surfaces-apart', `${server}/surfaces/rack/a5.ts`, `import '../native/n.ts'`],
  ['surfaces-below-compose', `${server}/surfaces/rack/a6.ts`, `import '../../compose.ts'`],
  ['boot-below-main', `${server}/boot/a6.ts`, `import '../compose.ts'`],
  ['nobody-imports-main', `${server}/a7.ts`, `import './main.ts'`],
  ['packages-use-no-app', 'packages/wire/src/a8.ts', `import '../../../apps/server/src/compose.ts'`],
  ['packages-through-index', `${server}/kernel/a9.ts`, `import '../../../../packages/wire/src/deep.ts'`],
  ['packages-through-each-others-index', 'packages/trail/src/b1.ts', `import '../../wire/src/deep.ts'`],
  ['pure-packages', 'packages/wire/src/b2.ts', `import { readFileSync } from 'node:fs'\nexport const x = readFileSync`],
  ['pipeline-needs-nothing', 'packages/pipeline/src/b3.ts', `import { parse } from 'yaml'\nexport const x = parse`],
  ['crypto-in-one-place', `${server}/features/keys/b4.ts`, `import { hash } from 'node:crypto'\nexport const x = hash`],
  ['apps-use-no-tool', `${server}/kernel/b5.ts`, `import '../../../../tools/sim/sim.ts'`],
  ['console-is-a-client', 'apps/console/src/b6.ts', `import '../../server/src/compose.ts'`],
  ['server-stands-alone', `${server}/kernel/b7.ts`, `import '../../../cli/src/verb.ts'`],
  ['no-test-code-in-the-product', `${server}/kernel/b8.ts`, `import './a.test.ts'`],
  [
    'schemas-by-our-own-builder',
    `${server}/kernel/b10.ts`,
    `import { Type } from 'typebox'\nexport const text = Type.String()`,
  ],
  ['no-cycles', `${server}/kernel/b9.ts`, `import type { C } from './c1.ts'\nexport type B = C`],
  ['resolves', `${server}/kernel/c2.ts`, `import './nowhere.ts'`],
]

test('whatever breaks a rule is caught and named', () => {
  put(`${server}/main.ts`, `import './compose.ts'`)
  put(`${server}/compose.ts`, `export const compose = 1`)
  put(`${server}/surfaces/native/n.ts`, `export const n = 1`)
  put(`${server}/kernel/a.test.ts`, `export const a = 1`)
  put(`${server}/kernel/c1.ts`, `import type { B } from './b9.ts'\nexport type C = B | 1`)
  put('packages/wire/src/deep.ts', `export const deep = 1`)
  put('tools/sim/sim.ts', `export const sim = 1`)
  put('apps/cli/src/verb.ts', `export const verb = 1`)
  for (const [, file, text] of plants) put(file, text)
  const { code, output } = check()
  for (const [rule, file] of plants) expect(output).toContain(`✗ ${rule}: ${file} → `)
  expect(code).toBe(1)
})

test('files that the checker does not look at are a fault', () => {
  writeFileSync(
    join(house, '.dependency-cruiser.cjs'),
    `module.exports = { options: { exclude: { path: 'inner' }, tsConfig: { fileName: 'tsconfig.json' } } }`,
  )
  expect(check()).toMatchObject({
    code: 1,
    output: expect.stringContaining('not looked at: apps/server/src/features/keys/inner.ts'),
  })
})

test('a checker that cannot read TypeScript, and so finds nothing, is a fault', () => {
  writeFileSync(join(house, '.dependency-cruiser.cjs'), `module.exports = { options: { moduleSystems: ['amd'] } }`)
  expect(check()).toMatchObject({ code: 1, output: expect.stringContaining('looked at without seeing its imports') })
})

function put(file: string, text: string): void {
  mkdirSync(dirname(join(house, file)), { recursive: true })
  writeFileSync(join(house, file), `${text}\n`)
}

function check(): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/check/layers.ts'], {
    cwd: house,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}` },
  })
  return { code: status, output: `${stderr}${stdout}`.trim() }
}
