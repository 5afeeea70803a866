import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256Hex } from './kernel/crypto.ts'
import type { Log } from './kernel/log.ts'
import { builtConsole } from './surfaces/console/built-console.ts'

type Needs = { readonly say: (text: string) => void; readonly log: Log }

const consoleFolder = fileURLToPath(new URL('../../console/', import.meta.url))
const wireFolder = fileURLToPath(new URL('../../../packages/wire/src/', import.meta.url))
const sources = ['src', 'index.html', 'public', 'vite.config.ts', 'package.json'].map((name) =>
  join(consoleFolder, name),
)

/** Builds the console when it was never built or its sources are others than last time. Without its sources, what is built is served. */
export async function buildConsole({ say, log }: Needs): Promise<void> {
  if (!existsSync(join(consoleFolder, 'src'))) return
  const mark = join(fileURLToPath(builtConsole), '.sources')
  const wanted = await digestOf([...sources, wireFolder])
  const built = await readFile(mark, 'utf8').catch(() => '')
  if (built === wanted) return
  const vite = findVite()
  if (vite === undefined) {
    log.warn({}, 'The console’s sources changed, but its tools are not installed; what was built last is served')
    return
  }
  say(built === '' ? 'Building the console, once …' : 'Building the console again, since its sources changed …')
  await run([vite, 'build', '--logLevel', 'warn'], consoleFolder)
  await mkdir(fileURLToPath(builtConsole), { recursive: true })
  await writeFile(mark, wanted)
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

async function digestOf(paths: readonly string[]): Promise<string> {
  const parts: string[] = []
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined)
    if (found?.isDirectory()) {
      const names = (await readdir(path)).sort()
      parts.push(await digestOf(names.map((name) => join(path, name))))
    } else if (found) parts.push(`${path.slice(consoleFolder.length)} ${sha256Hex(await readFile(path))}`)
  }
  return sha256Hex(parts.join('\n'))
}

function run(words: readonly string[], folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
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
