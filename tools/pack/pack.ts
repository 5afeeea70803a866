import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What is published for agents: plain JavaScript and types, since Node strips no types below `node_modules`. */
const names = ['rules', 'pipeline', 'agent'] as const

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The oldest Node that agents run on has no more than this; what is newer does not compile. */
const compilerOptions = {
  target: 'es2023',
  lib: ['es2023'],
  module: 'nodenext',
  moduleDetection: 'force',
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
  strict: true,
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  declaration: true,
  skipLibCheck: true,
  rootDir: join(root, 'packages'),
}

type Manifest = {
  readonly version: string
  readonly license: string
  readonly exports: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, unknown>>
  readonly description?: string
}

/** Builds and packs them into `folder`; answers the tarballs. */
export function pack(folder: string): string[] {
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(tmpdir(), 'countersign-pack-'))
  try {
    const built = join(work, 'built')
    build(work, built)
    return names.map((name) => packOne(name, join(built, name, 'src'), join(work, name), folder))
  } finally {
    rmSync(work, { recursive: true })
  }
}

function build(work: string, outDir: string): void {
  const config = join(work, 'tsconfig.json')
  const include = names.map((name) => join(root, 'packages', name, 'src'))
  const exclude = [join(root, 'packages/*/src/**/*.test.ts')]
  writeFileSync(config, JSON.stringify({ compilerOptions: { ...compilerOptions, outDir }, include, exclude }))
  run('tsc', ['-p', config], root)
  // The compiler rewrites imports in code and leaves them in types.
  for (const file of globSync(`${outDir}/**/*.d.ts`)) {
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace(/((?:from|import\()\s*['"]\.{1,2}\/[^'"]*)\.ts(['"])/g, '$1.js$2'))
  }
}

function packOne(name: string, built: string, stage: string, folder: string): string {
  const source = join(root, 'packages', name)
  cpSync(built, join(stage, 'dist'), { recursive: true })
  cpSync(join(root, 'LICENSE'), join(stage, 'LICENSE'))
  cpSync(join(source, 'README.md'), join(stage, 'README.md'))
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as Manifest
  writeFileSync(join(stage, 'package.json'), `${JSON.stringify(published(name, manifest), undefined, 2)}\n`)
  const [{ filename }] = JSON.parse(
    run('npm', ['pack', '--json', '--silent', '--pack-destination', folder], stage),
  ) as [{ readonly filename: string }]
  return join(folder, filename)
}

/** The workspace's own manifest points at sources and asks for siblings by link. */
function published(name: string, manifest: Manifest): object {
  const { version, license, description, dependencies = {}, peerDependencies, peerDependenciesMeta } = manifest
  const built = (path: string): string => path.replace('./src/', './dist/').replace(/\.ts$/, '')
  return {
    name: `@countersign/${name}`,
    version,
    description,
    license,
    type: 'module',
    engines: { node: '>=20' },
    files: ['dist'],
    exports: Object.fromEntries(
      Object.entries(manifest.exports).map(([entry, path]) => [
        entry,
        { types: `${built(path)}.d.ts`, default: `${built(path)}.js` },
      ]),
    ),
    dependencies: Object.fromEntries(
      Object.entries(dependencies).map(([other, range]) => [other, range === '*' ? version : range]),
    ),
    peerDependencies,
    peerDependenciesMeta,
  }
}

function run(command: string, args: readonly string[], cwd: string): string {
  const bin = join(root, 'node_modules/.bin')
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` }
  const { stdout, stderr, status, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const file of pack(process.argv[2] ?? join(root, 'data/packages'))) process.stdout.write(`${file}\n`)
}
