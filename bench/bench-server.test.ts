import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** Processes that were started for what lies in this folder. */
async function processesOf(folder: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const [command, environment] = await Promise.all(
      ['cmdline', 'environ'].map((file) => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '')),
    )
    if (`${command}${environment}`.includes(folder)) found.push(`${name} ${command?.replaceAll('\0', ' ')}`)
  }
  return found
}

test.runIf(process.platform === 'linux').each([
  ['interrupted', 'SIGINT', 130],
  ['told to end', 'SIGTERM', 143],
] as const)('a bench that is %s leaves no server, no database and no folder', async (_what, signal, code) => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-test-'))
  const bench = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'fetch.ts')],
    {
      env: { ...process.env, TMPDIR: folder, BENCH_SECONDS: '60' },
      stdio: 'ignore',
    },
  )
  try {
    await expect
      .poll(() => processesOf(folder), { timeout: 60_000, interval: 200 })
      .toEqual(expect.arrayContaining([expect.stringContaining('postgres')]))
    bench.kill(signal)
    expect(await once(bench, 'exit')).toEqual([code, null])
    await expect.poll(() => processesOf(folder), { timeout: 20_000 }).toEqual([])
    expect(await readdir(folder)).toEqual([])
  } finally {
    bench.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
})

test.runIf(process.platform === 'linux')('a bench whose server dies says so and leaves nothing either', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-test-'))
  const bench = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'fetch.ts')],
    {
      env: { ...process.env, TMPDIR: folder, BENCH_SECONDS: '60' },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let said = ''
  bench.stderr.on('data', (part: Buffer) => {
    said += part.toString()
  })
  try {
    const isServer = (one: string): boolean => one.includes('src/main.ts')
    await expect
      .poll(
        async () => {
          const all = await processesOf(folder)
          return all.some(isServer) && all.some((one) => one.includes('countersign idle') || one.includes('postgres: '))
        },
        { timeout: 60_000, interval: 200 },
      )
      .toBe(true)
    const [server = ''] = (await processesOf(folder)).filter(isServer)
    process.kill(Number.parseInt(server, 10), 'SIGKILL')
    expect(await once(bench, 'exit')).toEqual([1, null])
    expect(said).not.toBe('')
    await expect.poll(() => processesOf(folder), { timeout: 20_000 }).toEqual([])
    expect(await readdir(folder)).toEqual([])
  } finally {
    bench.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
})
