import { afterAll, describe, expect, test } from 'vitest'
import { ownDisk } from '../own-disk.ts'
import { rollOutYaml, rulesetYaml } from '../rulesets-scene.ts'
import { type Answer, testServer } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'
import { ownPostgres } from './own-postgres.ts'

const megabytes = 400

/** The second when PostgreSQL had no room for its own log either and ended itself. */
const words = [
  'The database has no room left. Nothing was changed.',
  'The database cannot be reached. Nothing was changed; try again in a moment.',
]

const disk = ownDisk(megabytes)

afterAll(() => disk?.remove())

type Kind = 'events' | 'approval' | 'key'

describe.skipIf(disk === undefined)('a disk that is really full', () => {
  test('every answer is a no that says so, or the truth; nothing acknowledged is lost; with room again all goes on by itself', async () => {
    const postgres = await ownPostgres(disk?.path)
    const server = await testServer({ databaseUrl: postgres.url })
    try {
      const tenant = await server.newTenant()
      const key = await server.newKey(tenant)
      await rollOutYaml(server, tenant, rulesetYaml('base'))
      const agent = { key: key.key, agent: 'a1' }
      let count = 0
      const kept: Record<Kind, string[]> = { events: [], approval: [], key: [] }
      const refused: Record<Kind, Answer[]> = { events: [], approval: [], key: [] }

      const attempt = async (kind: Kind): Promise<void> => {
        count += 1
        const name = `${kind}-${count}`
        const answer = await ask(kind, name)
        if (answer.status < 300) kept[kind].push(name)
        else refused[kind].push(answer)
      }
      const ask = (kind: Kind, name: string): Promise<Answer> => {
        if (kind === 'key')
          return server.call('POST', '/api/v2/keys', {
            cookie: tenant.cookie,
            body: { environment: 'production', label: name },
          })
        if (kind === 'approval')
          return server.call('POST', '/v1/approvals', { ...agent, body: { tool_name: 'deploy', message: name } })
        const args = { file: 'x'.repeat(8_000) }
        const event = { call_id: name, agent_id: 'a1', tool_name: 't', verdict: 'call_allowed', tool_args: args }
        return server.call('POST', '/v1/events', { ...agent, body: { events: [event] } })
      }
      const round = () => Promise.all((['events', 'approval', 'key'] as const).map(attempt))

      await round()
      await disk?.fill()
      const enough = (): boolean => Object.values(refused).every((answers) => answers.length >= 5)
      // Events are what there may be any number of; they take what room is left within files.
      for (let tries = 0; tries < 3000 && refused.events.length === 0; tries += 1) await attempt('events')
      for (let rounds = 0; rounds < 60 && !enough(); rounds += 1) await round()
      expect(enough(), 'the disk was never full').toBe(true)
      for (const [kind, answers] of Object.entries(refused)) {
        for (const { status, text, body, headers } of answers) {
          expect(status, `${kind}: ${text}`).toBe(503)
          expect(words, kind).toContain((body as { readonly detail: string }).detail)
          expect(Number(headers.get('retry-after')), kind).toBeGreaterThan(0)
        }
      }

      await disk?.makeRoom()
      // PostgreSQL may have ended itself for want of room; what keeps it running starts it again.
      await postgres.restart().catch(() => undefined)
      await expect.poll(async () => (await ask('key', 'afterwards')).status, { timeout: 60_000 }).toBeLessThan(300)
      await round()

      const rows = async (text: string) => (await server.db.query<{ name: string }>(text)).map(({ name }) => name)
      expect(await rows('select e.call_id as name from events as e')).toEqual(expect.arrayContaining(kept.events))
      expect(await rows('select a.message as name from approvals as a')).toEqual(expect.arrayContaining(kept.approval))
      expect(await rows('select k.label as name from agent_keys as k')).toEqual(expect.arrayContaining(kept.key))
    } finally {
      await server.stop()
    }
    await expectWholeTrail(postgres.url)
    await postgres.remove()
  }, 180_000)
})
