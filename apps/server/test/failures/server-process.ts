import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { freePort } from '../free-port.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** The console may have to be built first, and the machine may be busy. */
const patienceMs = 120_000

export type ServerProcess = {
  readonly url: string
  readonly pid: number
  /** Lines of its output so far. */
  readonly said: () => readonly string[]
  readonly complaints: () => string
  /** Resolves to `true` once it said that it is ready, to `false` when it ended before. */
  readonly ready: Promise<boolean>
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>
  readonly kill: (signal: 'SIGTERM' | 'SIGKILL') => void
}

/** The server as it is run in earnest: a process of its own that knows nothing but these variables. */
export async function serverProcess(
  folder: string,
  environment: Readonly<Record<string, string>>,
): Promise<ServerProcess> {
  const port = await freePort()
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      COUNTERSIGN_HOST: '127.0.0.1',
      COUNTERSIGN_PORT: String(port),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let complaints = ''
  const isReady = (): boolean => /^countersign ready on /m.test(output)
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
  }))
  const ready = new Promise<boolean>((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`the server did not become ready: ${output}${complaints}`))
    }, patienceMs)
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (!isReady()) return
      clearTimeout(late)
      resolve(true)
    })
    void ended.then(() => {
      clearTimeout(late)
      resolve(isReady())
    })
  })
  child.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk.toString()
  })
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    said: () => output.split('\n').filter((line) => line !== ''),
    complaints: () => complaints,
    ready,
    ended,
    kill: (signal) => {
      child.kill(signal)
    },
  }
}
