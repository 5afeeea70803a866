import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256Hex } from '../kernel/crypto.ts'
import type { Log } from '../kernel/log.ts'
import { builtConsole } from '../surfaces/console/built-console.ts'

type Needs = { readonly say: (text: string) => void; readonly log: Log }

const consoleFolder = fileURLToPath(new URL('../../../console/', import.meta.url))
const wireFolder = fileURLToPath(new URL('../../../../packages/wire/src/', import.meta.url))
const sources = ['src', 'index.html', 'public', 'vite.config.ts', 'package.json'].map((name) =>
  join(consoleFolder, name),
)

/** Builds the console when it was never built or its sources are others than last time. Without its sources, what is built is served. */
export async function buildConsole({ say, log }: Needs): Promise<void> {
  if (!existsSync(join(consoleFolder, 'src'))) return
  const wanted = digestOf([...sources, wireFolder])
  const built = await readMark()
  if (built === wanted) return
  const vite = findVite()
  if (vite === undefined) {
    log.warn({}, 'The console’s sources changed, but its tools are not installed; what was built last is served')
    return
  }
  say(built === '' ? 'Building the console, once …' : 'Building the console again, since its sources changed …')
  // Aside first: another process may serve what is there, or build at the same moment.
  const aside = join(consoleFolder, 'node_modules', `.built-${process.pid}`)
  try {
    await mkdir(aside, { recursive: true })
    await run([vite, 'build', '--outDir', aside, '--emptyOutDir', '--logLevel', 'warn'], consoleFolder)
    await writeFile(join(aside, markName), wanted)
    await putInPlace(aside, wanted)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

const markName = '.sources'
const place = fileURLToPath(builtConsole).replace(/\/$/, '')

/** What the built console was built from. */
function readMark(): Promise<string> {
  return readFile(join(place, markName), 'utf8').catch(() => '')
}

/** Of two that come at once the second finds that the first has put the same there. */
async function putInPlace(aside: string, wanted: string): Promise<void> {
  const former = `${aside}-former`
  try {
    await rename(place, former).catch(() => undefined)
    await rename(aside, place)
  } catch (cause) {
    if ((await readMark()) !== wanted) throw cause
  } finally {
    await rm(former, { recursive: true, force: true })
  }
}

function findVite(): string | undefined {
  try {
    const resolve = createRequire(join(consoleFolder, 'package.json'))
    return join(resolve.resolve('vite/package.json'), '../bin/vite.js')
  } catch {
    // Not installed, as in an image that carries the built console only.
    return undefined
  }
}

/** At once and not in turn with anything: some five hundred small files, which a promise each would take four times as long. */
function digestOf(paths: readonly string[]): string {
  const parts: string[] = []
  for (const path of paths) {
    const found = statSync(path, { throwIfNoEntry: false })
    if (found?.isDirectory()) {
      const names = readdirSync(path).sort()
      parts.push(digestOf(names.map((name) => join(path, name))))
    } else if (found) parts.push(`${path.slice(consoleFolder.length)} ${sha256Hex(readFileSync(path))}`)
  }
  return sha256Hex(parts.join('\n'))
}

function run(words: readonly string[], folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Nothing of ours: tests say that they are tests, and would get the larger and slower pages of development.
    const env = { NODE_ENV: 'production' }
    const child = spawn(process.execPath, words, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4000)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.once('error', reject)
    child.once('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`the console could not be built:\n${output}`))
    })
  })
}
