import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const main = join(import.meta.dirname, '../../apps/server/src/main.ts')

export type Administrator = { readonly email: string; readonly password: string }

/** A server of its own, as `npm start` runs it, on a free port and a data folder that stays between restarts. */
export async function startServer(folder: string) {
  const port = randomInt(20_000, 60_000)
  const url = `http://127.0.0.1:${port}`
  const administrator = { email: 'interop@example.com', password: randomBytes(16).toString('hex') }
  let child = await begin(folder, port, url, administrator)
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  }
  return {
    url,
    administrator,
    stop,
    restart: async (): Promise<void> => {
      await stop()
      child = await begin(folder, port, url, administrator)
    },
  }
}

async function begin(folder: string, port: number, url: string, who: Administrator): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      COUNTERSIGN_DATA_DIR: folder,
      COUNTERSIGN_PORT: String(port),
      COUNTERSIGN_ADMIN_EMAIL: who.email,
      COUNTERSIGN_ADMIN_PASSWORD: who.password,
      COUNTERSIGN_LOG_LEVEL: 'warn',
    },
  })
  for (let tries = 0; tries < 600; tries += 1) {
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}; its reason is above.`)
    const answer = await fetch(`${url}/api/v1/health/ready`).catch(() => undefined)
    if (answer?.ok) return child
    await pause(100)
  }
  child.kill('SIGKILL')
  throw new Error('The server was not ready within a minute.')
}
