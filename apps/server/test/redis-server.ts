import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { freePort } from './free-port.ts'

export type TestRedis = { readonly url: string; readonly stop: () => Promise<void> }

/** Whether tests that need Redis can run here: on the one TEST_REDIS_URL names, or on one they start. */
export const hasRedis =
  process.env['TEST_REDIS_URL'] !== undefined || spawnSync('redis-server', ['--version']).status === 0

/** A Redis for a test that does not stop it halfway. */
export async function testRedis(): Promise<TestRedis> {
  const given = process.env['TEST_REDIS_URL']
  if (given !== undefined) return { url: given, stop: () => Promise.resolve() }
  const port = await freePort()
  const redis = spawn('redis-server', [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
  ])
  for await (const chunk of redis.stdout) if (String(chunk).includes('Ready to accept connections')) break
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      const exited = once(redis, 'exit')
      redis.kill('SIGKILL')
      await exited
    },
  }
}
