import type { RolloutTrial, RulesetRevisionDetail, RulesetSummary } from '@countersign/wire'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Answer, type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'
import { testClock } from '../../kernel/clock.ts'

let server: ServerApart
let acme: TestTenant
let key: string
const clock = testClock()

const yaml = (name: string, ids: readonly string[]) => `apiVersion: edictum/v1
kind: Ruleset
metadata: {name: ${name}}
defaults: {mode: enforce}
rules:
${ids.map((id) => `  - {id: ${id}, type: pre, tool: Bash, when: {args.command: {contains: ${id}}}, then: {action: block, message: no}}`).join('\n')}
`

beforeAll(async () => {
  server = await serverApart({ clock })
  acme = await server.newTenant('acme')
  key = (await server.newKey(acme)).key
})

afterAll(() => server.stop())

const call = (method: string, path: string, body?: object): Promise<Answer> =>
  server.call(method, `/api/v2${path}`, { cookie: acme.cookie, ...(body && { body }) })

async function must<Body>(method: string, path: string, body?: object): Promise<Body> {
  const answer = await call(method, path, body)
  expect(answer.status, answer.text).toBeLessThan(300)
  return answer.body as Body
}

/** Time passes at once; the session does not outlive it. */
async function pass(minutes: number): Promise<void> {
  await clock.jumpBy(minutes * 60_000)
  acme = { ...acme, cookie: await server.signIn(acme.email) }
}

/** Two versions of a ruleset: the first is live, the second has one rule more. */
async function furnish(name: string): Promise<void> {
  await must('POST', '/rulesets', { yaml: yaml(name, ['old']) })
  await must('POST', '/rulesets', { yaml: yaml(name, ['old', `${name}-new`]) })
  await must('POST', `/rulesets/${name}/rollouts`, { version: 1, environment: 'production' })
}

const start = (name: string, more: object = {}) =>
  must<RolloutTrial>('POST', `/rulesets/${name}/trials`, {
    version: 2,
    environment: 'production',
    minutes: 60,
    ...more,
  })

async function trialOf(id: string): Promise<RolloutTrial> {
  const { items } = await must<{ items: RolloutTrial[] }>('GET', '/trials')
  const found = items.find((one) => one.id === id)
  if (!found) throw new Error('no such trial')
  return found
}

async function live(name: string): Promise<string[]> {
  const { live: places } = await must<RulesetSummary>('GET', `/rulesets/${name}`)
  const { outline } = await must<RulesetRevisionDetail>('GET', `/rulesets/${name}/revisions/${places[0]?.version ?? 0}`)
  return outline.rules.map(({ id, mode }) => `${id} ${mode}`)
}

async function wouldBlock(rule: string, n: number): Promise<void> {
  const events = Array.from({ length: n }, (_, at) => ({
    call_id: `${rule}-${at}`,
    agent_id: 'bot',
    tool_name: 'Bash',
    action: 'call_would_block',
    mode: 'observe',
    decision_name: rule,
    timestamp: clock.now().toISOString(),
    tool_args: {},
  }))
  const answer = await server.call('POST', '/v1/events', { key, agent: 'bot', body: { events } })
  expect(answer.status, answer.text).toBeLessThan(300)
}

test('only what is new observes, and enforces by itself when the time is over and few calls were hit', async () => {
  await furnish('quiet')
  const trial = await start('quiet', { would_block_max: 2 })
  expect(trial).toMatchObject({ status: 'observing', rules: ['quiet-new'], version: 2, trial_version: 3 })
  expect(await live('quiet')).toEqual(['old enforce', 'quiet-new observe'])
  await pass(1)
  await wouldBlock('quiet-new', 2)
  await pass(58)
  expect(await trialOf(trial.id)).toMatchObject({ status: 'observing', would_blocks: 2 })
  await pass(2)
  expect(await trialOf(trial.id)).toMatchObject({ status: 'enforced', would_blocks: 2 })
  expect(await live('quiet')).toEqual(['old enforce', 'quiet-new enforce'])
  const { items } = await must<{ items: { note: string; version: number }[] }>('GET', '/rollouts?ruleset=quiet')
  expect(items[0]).toMatchObject({ version: 2, note: expect.stringContaining('2 calls') as string })
})

test('when more calls would have been stopped it goes on observing, and a person decides', async () => {
  await furnish('loud')
  const trial = await start('loud')
  await pass(1)
  await wouldBlock('loud-new', 1)
  await pass(120)
  expect(await trialOf(trial.id)).toMatchObject({ status: 'stopped', would_blocks: 1 })
  expect(await live('loud')).toEqual(['old enforce', 'loud-new observe'])
})

test('what is rolled out or cancelled meanwhile is never replaced', async () => {
  await furnish('moved')
  const moved = await start('moved')
  await must('POST', '/rulesets/moved/rollouts', { version: 1, environment: 'production' })
  await furnish('ended')
  const ended = await start('ended')
  expect((await must<RolloutTrial>('POST', `/trials/${ended.id}/cancellation`)).status).toBe('cancelled')
  expect((await call('POST', `/trials/${ended.id}/cancellation`)).status).toBe(409)
  await pass(120)
  expect((await trialOf(moved.id)).status).toBe('superseded')
  expect(await live('moved')).toEqual(['old enforce'])
  expect((await trialOf(ended.id)).status).toBe('cancelled')
  expect(await live('ended')).toEqual(['old enforce', 'ended-new observe'])
})

test('a revision with nothing new to observe is refused, and what is not there does not exist', async () => {
  await furnish('same')
  const body = { version: 1, environment: 'production', minutes: 5 }
  expect((await call('POST', '/rulesets/same/trials', body)).status).toBe(422)
  expect((await call('POST', '/rulesets/same/trials', { ...body, version: 9 })).status).toBe(404)
  expect((await call('POST', '/rulesets/same/trials', { ...body, version: 2, environment: 'nowhere' })).status).toBe(
    422,
  )
})

test('a person lets it enforce before its time, or after it was stopped, but only what it tried', async () => {
  await furnish('sure')
  const sure = await start('sure')
  const path = `/trials/${sure.id}/promotion`
  expect(await must<RolloutTrial>('POST', path, { note: 'Known to be right' })).toMatchObject({ status: 'enforced' })
  expect(await live('sure')).toEqual(['old enforce', 'sure-new enforce'])
  const { items } = await must<{ items: { note: string }[] }>('GET', '/rollouts?ruleset=sure')
  expect(items[0]?.note).toContain('Known to be right')
  expect((await call('POST', path, {})).status).toBe(409)
  await pass(120)
  expect((await trialOf(sure.id)).status).toBe('enforced')

  await furnish('hit')
  const hit = await start('hit')
  await pass(1)
  await wouldBlock('hit-new', 1)
  await pass(120)
  expect((await trialOf(hit.id)).status).toBe('stopped')
  expect(await must<RolloutTrial>('POST', `/trials/${hit.id}/promotion`, {})).toMatchObject({
    status: 'enforced',
    would_blocks: 1,
  })

  await furnish('gone')
  const gone = await start('gone')
  await must('POST', '/rulesets/gone/rollouts', { version: 1, environment: 'production' })
  const late = await call('POST', `/trials/${gone.id}/promotion`, {})
  expect(late.status).toBe(409)
  expect(late.text).toContain('version 1 is live')
  expect(await live('gone')).toEqual(['old enforce'])
})

/** Ends the server's connection at the moment at which it waits for this table, as a crash would. */
async function crashAt<Result>(table: string, work: () => Promise<Result>): Promise<Result> {
  const blocker = new pg.Client({ connectionString: server.database.url })
  await blocker.connect()
  try {
    await blocker.query(`begin; lock table ${table} in exclusive mode`)
    const outcome = work()
    const waiting = `select pg_terminate_backend(l.pid) from pg_locks as l
      where l.relation = '${table}'::regclass and not l.granted`
    await vi.waitFor(async () => expect(await server.db.query(waiting)).not.toEqual([]), { timeout: 10_000 })
    await blocker.query('rollback')
    return await outcome
  } finally {
    await blocker.end()
  }
}

test('a server that dies between the rollout and the trial leaves neither; started again it goes on with the same revision', async () => {
  await furnish('again')
  const begun = await crashAt('rollout_trials', () =>
    call('POST', '/rulesets/again/trials', { version: 2, environment: 'production', minutes: 60 }),
  )
  expect(begun.status).toBeGreaterThanOrEqual(500)
  expect(await live('again')).toEqual(['old enforce'])
  const second = await start('again')
  expect(second).toMatchObject({ status: 'observing', rules: ['again-new'], trial_version: 3 })
  const third = await start('again', { minutes: 5 })
  expect((await trialOf(second.id)).status).toBe('superseded')
  await pass(10)
  expect((await trialOf(third.id)).status).toBe('enforced')
  expect((await trialOf(second.id)).status).toBe('superseded')
})

test('a server that dies while a trial begins to enforce leaves it observing, and the next one enforces it', async () => {
  await furnish('halfway')
  const trial = await start('halfway')
  const promoted = await crashAt('rollout_trials', () => call('POST', `/trials/${trial.id}/promotion`, {}))
  expect(promoted.status).toBeGreaterThanOrEqual(500)
  expect(await live('halfway')).toEqual(['old enforce', 'halfway-new observe'])
  expect((await trialOf(trial.id)).status).toBe('observing')
  // As a process leaves it that dies after it said that it would, and before it did.
  await server.db.query(`update rollout_trials as t set status = 'enforcing' where t.id = $1`, [trial.id])
  await pass(120)
  expect((await trialOf(trial.id)).status).toBe('enforced')
  expect(await live('halfway')).toEqual(['old enforce', 'halfway-new enforce'])
})

test('who stated the condition, and what the server made of it by itself, is in the trail', async () => {
  const rows = await server.db.query<{ act: string; actor: string }>(
    `select distinct e.act, e.actor_kind as actor from trail_entries as e where e.act like 'rollout_trial.%' order by 1, 2`,
  )
  expect(rows.map(({ act, actor }) => `${act} by ${actor}`)).toEqual([
    'rollout_trial.cancelled by person',
    'rollout_trial.enforced by person',
    'rollout_trial.enforced by system',
    'rollout_trial.started by person',
    'rollout_trial.stopped by system',
    'rollout_trial.superseded by person',
    'rollout_trial.superseded by system',
  ])
})
