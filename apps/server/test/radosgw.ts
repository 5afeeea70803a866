import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'

export type TestStore = {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly stop: () => Promise<void>
}

/** Whether a real object store with Object Lock can be started here. */
export const hasRadosgw = ['ceph-mon', 'ceph-osd', 'radosgw'].every(
  (program) => spawnSync(program, ['--version']).status === 0,
)

/** Guards nothing: the store is on loopback and lives as long as one test file. */
const user = { accessKeyId: 'COUNTERSIGNTESTS0001', secretAccessKey: 'only-for-tests-only-for-tests-0000000000' }
const readyMsMax = 60_000
const startsMax = 3

/** How long a test file should wait for it at most. */
export const radosgwStartMsMax = startsMax * (readyMsMax + 30_000)

/** A whole Ceph of one monitor and one store in memory, with the S3 gateway in front: real Object Lock, without a cloud. */
export async function startRadosgw(): Promise<TestStore> {
  for (let start = 1; ; start += 1) {
    try {
      return await startOnce()
    } catch (cause) {
      // Now and then its parts never find each other; a new one, on other ports, takes a dozen seconds.
      if (start === startsMax) throw cause
    }
  }
}

async function startOnce(): Promise<TestStore> {
  const home = await mkdtemp(join(tmpdir(), 'countersign-radosgw-'))
  await chmod(home, 0o755)
  const running: ChildProcess[] = []
  const stop = async (): Promise<void> => {
    for (const child of running.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
    await rm(home, { recursive: true, force: true })
  }
  try {
    const port = await freePort()
    const configuration = await configure(home, port)
    const daemon = (program: string, ...options: string[]): void => {
      const child = spawn(program, ['-c', configuration, '-f', ...options], { stdio: 'ignore' })
      child.on('error', () => undefined)
      running.push(child)
    }
    await command('ceph-mon', '-c', configuration, '--mkfs', '-i', 'a', '--monmap', join(home, 'monmap'))
    daemon('ceph-mon', '-i', 'a')
    const uuid = globalThis.crypto.randomUUID()
    await retried(() => command('ceph', '-c', configuration, '--connect-timeout', '5', 'osd', 'create', uuid))
    await command('ceph-osd', '-c', configuration, '-i', '0', '--mkfs', '--osd-uuid', uuid)
    daemon('ceph-osd', '-i', '0')
    const admin = ['-c', configuration, '--name', 'client.rgw', 'user', 'create', '--uid=tests', '--display-name=tests']
    await retried(() =>
      command('radosgw-admin', ...admin, `--access-key=${user.accessKeyId}`, `--secret-key=${user.secretAccessKey}`),
    )
    daemon('radosgw', '--name', 'client.rgw')
    const endpoint = `http://127.0.0.1:${port}`
    await retried(async () => {
      const answer = await fetch(endpoint, { signal: AbortSignal.timeout(2_000) })
      if (answer.status !== 200) throw new Error(`the gateway answers ${answer.status}`)
    })
    return { endpoint, ...user, stop }
  } catch (cause) {
    await stop()
    throw cause
  }
}

async function configure(home: string, port: number): Promise<string> {
  const [monitor, fsid] = [await freePort(), globalThis.crypto.randomUUID()]
  for (const folder of ['mon', 'osd', 'rgw']) await mkdir(join(home, folder))
  const lines = {
    fsid,
    'mon host': `[v1:127.0.0.1:${monitor}]`,
    'mon initial members': 'a',
    'auth cluster required': 'none',
    'auth service required': 'none',
    'auth client required': 'none',
    'public addr': '127.0.0.1',
    'cluster addr': '127.0.0.1',
    'ms bind ipv6': 'false',
    'mon data': join(home, 'mon'),
    'osd data': join(home, 'osd'),
    'rgw data': join(home, 'rgw'),
    'log file': join(home, '$name.log'),
    'admin socket': join(home, '$name.asok'),
    'pid file': join(home, '$name.pid'),
    'run dir': home,
    keyring: join(home, 'keyring'),
    'osd objectstore': 'memstore',
    'memstore device bytes': '268435456',
    'osd crush chooseleaf type': '0',
    'osd pool default size': '1',
    'osd pool default min size': '1',
    'osd pool default pg num': '4',
    'osd pool default pgp num': '4',
    'osd pool default pg autoscale mode': 'off',
    'mon allow pool size one': 'true',
    'mon max pg per osd': '1000',
    'rgw frontends': `beast endpoint=127.0.0.1:${port}`,
    'rgw lc debug interval': '-1',
  }
  const text = Object.entries(lines).map(([name, value]) => `${name} = ${value}\n`)
  const path = join(home, 'ceph.conf')
  await writeFile(path, `[global]\n${text.join('')}`)
  const addresses = `[v1:127.0.0.1:${monitor}]`
  await command('monmaptool', '--create', '--fsid', fsid, '--addv', 'a', addresses, join(home, 'monmap'))
  return path
}

async function command(program: string, ...options: readonly string[]): Promise<void> {
  const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)))
  const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
  const [code] = await once(child, 'close')
  clearTimeout(late)
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${said.trim().slice(-500)}`)
}

/** The parts find each other in their own time. */
async function retried(work: () => Promise<void>): Promise<void> {
  const end = performance.now() + readyMsMax
  for (;;) {
    try {
      await work()
      return
    } catch (cause) {
      if (performance.now() > end) throw cause
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}
