import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../server/src/kernel/clock.ts'
import { cookieIn, factorsScene, tokenOf, totpCode } from '../../../server/test/factors-scene.ts'
import { type ServerApart, serverApart, type TestTenant } from '../../../server/test/server.ts'
import { makeProgram } from '../program.ts'
import { shownText } from './approval-text.ts'

const clock = systemClock()
let server: ServerApart
let acme: TestTenant
let folder: string
let key: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-approvals-'))
  server = await serverApart({ clock })
  acme = await server.newTenant('acme')
  key = (await server.newKey(acme)).key
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

type Around = {
  readonly ask?: (question: string) => Promise<string | undefined>
  readonly who?: TestTenant
  readonly token?: string
}

/** The command line of somebody other than who made the agent's key. */
async function run(args: readonly string[], around: Around = {}) {
  const { said, ended } = begin(args, around)
  await ended
  return said
}

function begin(args: readonly string[], { ask, who = approver, token = tokenOf(who) }: Around = {}) {
  const said = { out: '', complaint: '', code: 0, opened: '' }
  const program = makeProgram({
    env: { XDG_CONFIG_HOME: folder, CSIGN_SERVER: server.url, CSIGN_TOKEN: token },
    print: (text) => void (said.out += text),
    complain: (text) => void (said.complaint += text),
    exitWith: (code) => void (said.code = code),
    fail: () => void (said.code = 1),
    openPage: (address) => void (said.opened = address),
    openKeyring: () => Promise.reject(new Error('there is none here')),
    ...(ask && { ask }),
  })
  return { said, ended: program.parseAsync(args, { from: 'user' }) }
}

let approver: TestTenant
beforeAll(async () => {
  approver = await server.newPerson(acme, [{ role: 'approver', environment: null }])
})

async function held(message = 'ship it', args: object = { app: 'shop', replicas: 3 }): Promise<string> {
  const answer = await server.call('POST', '/v1/approvals', {
    key,
    agent: 'bot-1',
    body: { agent_id: 'bot-1', tool_name: 'deploy', tool_args: args, message, timeout: 600 },
  })
  return (answer.body as { id: string }).id
}
const statusOf = async (id: string): Promise<string> => {
  const answer = await server.call('GET', `/api/v2/approvals/${id}`, { cookie: acme.cookie })
  return (answer.body as { status: string }).status
}

/** Calls keep the policy they were held under, so it is taken back at once. */
async function underPolicy(proof: string, work: () => Promise<string>): Promise<string> {
  const path = '/api/v2/environments/production/approval-policies'
  const policies = [{ rule: null, proof, approvers: 1, excludes_owner: false }]
  expect((await server.call('PUT', path, { cookie: acme.cookie, body: { policies } })).status).toBe(200)
  const id = await work()
  await server.call('PUT', path, { cookie: acme.cookie, body: { policies: [] } })
  return id
}

/** A command line of an approver with an authenticator app, whose proof is long ago. */
async function lapsedApprover(): Promise<{ token: string; codes: readonly string[] }> {
  const person = await server.newPerson(acme, [{ role: 'approver', environment: null }])
  const post = async (path: string, body: unknown, cookie?: string) => {
    const answer = await server.call('POST', `/api/v2${path}`, { body, ...(cookie !== undefined && { cookie }) })
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`)
    return { answer, body: answer.body as Record<string, unknown> }
  }
  const { id, secret } = (await post('/mfa/totp', {}, person.cookie)).body
  const code = totpCode(String(secret), server.clock.now().getTime())
  const confirmed = await post(`/mfa/totp/${String(id)}/confirmation`, { code }, person.cookie)
  const cookie = cookieIn(confirmed.answer)
  const headers = { 'x-requested-with': 'countersign' }
  const begun = await server.call('POST', '/api/v2/cli-sign-ins', { body: {}, headers })
  const { state, verifier, user_code } = begun.body as Record<string, string>
  await post('/cli-sign-ins/decision', { code: user_code, approve: true }, cookie)
  const body = { state, verifier }
  const done = await server.call('POST', '/api/v2/cli-sign-ins/completion', { body, headers })
  await server.db.query(`update sessions as s set stepped_up_at = null where s.person_id = $1 and s.channel = 'cli'`, [
    person.person,
  ])
  const { token } = done.body as { token: string }
  return { token, codes: confirmed.body['backup_codes'] as string[] }
}

describe('a held call', () => {
  test('is listed, shown whole, and goes on when the person at the terminal says yes', async () => {
    const id = await held()
    expect((await run(['approvals', 'list'])).out).toContain(`${id}\tpending\tproduction\tbot-1\tdeploy`)
    const questions: string[] = []
    const ask = (question: string) => {
      questions.push(question)
      return Promise.resolve('yes')
    }
    const said = await run(['approve', id, '--reason', 'looks right'], { ask })
    expect(said.code, said.complaint).toBe(0)
    for (const part of ['deploy', 'bot-1 in production', 'ship it', '"replicas": 3', 'digest', 'Approved.'])
      expect(said.out).toContain(part)
    expect(questions).toEqual(['Approve this call? Type yes: '])
    const shown = await server.call('GET', `/api/v2/approvals/${id}`, { cookie: acme.cookie })
    expect(shown.body).toMatchObject({ status: 'approved', decision: { via: 'api', reason: 'looks right' } })
    const again = await run(['approve', id, '--yes'])
    expect(again).toMatchObject({ code: 1 })
    expect(again.complaint).toContain(`It was approved by ${approver.email}`)
  })

  test('is denied, and a script reads the outcome as JSON', async () => {
    const id = await held()
    const said = await run(['deny', id, '--yes', '--json', '--reason', 'not today'])
    expect(JSON.parse(said.out)).toMatchObject({ id, status: 'denied', decision: { reason: 'not today' } })
  })

  test('stays held when nobody is there to be asked, or whoever is says anything but yes', async () => {
    const id = await held()
    expect(await run(['approve', id])).toMatchObject({ code: 2 })
    for (const answer of ['', 'y', 'no'])
      expect(await run(['approve', id], { ask: () => Promise.resolve(answer) })).toMatchObject({ code: 1 })
    expect(await statusOf(id)).toBe('pending')
  })

  test('is nothing that somebody may decide who lacks the permission, is of another tenant, or does not exist', async () => {
    const id = await held()
    const viewer = await server.newPerson(acme, [{ role: 'viewer', environment: null }])
    expect(await run(['approve', id, '--yes'], { who: viewer })).toMatchObject({ code: 4 })
    const globex = await server.newTenant()
    expect(await run(['approve', id, '--yes'], { who: globex })).toMatchObject({ code: 1, out: '' })
    expect(await run(['approve', '../people', '--yes'])).toMatchObject({ code: 1, out: '' })
    expect(await statusOf(id)).toBe('pending')
  })

  test('that wants a fresh proof is decided with a code that comes along, and not without', async () => {
    const { token, codes } = await lapsedApprover()
    const id = await underPolicy('step-up', () => held())
    const bare = await run(['approve', id, '--yes'], { token })
    expect(bare).toMatchObject({ code: 5 })
    expect(await run(['approve', id, '--yes', '--mfa-code', '000000'], { token })).toMatchObject({ code: 5 })
    expect(await statusOf(id)).toBe('pending')
    const said = await run(['approve', id, '--yes', '--mfa-code', codes[0] ?? ''], { token })
    expect(said.out, said.complaint).toContain('Approved.')
  })

  test('that wants a countersignature opens the page where it is signed, and decides nothing by itself', async () => {
    const id = await underPolicy('countersignature', () => held())
    const said = await run(['approve', id, '--yes', '--no-wait'])
    expect(said).toMatchObject({ code: 5, opened: `${server.url}/approvals/${id}` })
    const quiet = await run(['approve', id, '--yes', '--json', '--no-browser', '--no-wait'])
    expect(quiet).toMatchObject({ code: 5, opened: '' })
    expect(JSON.parse(quiet.out)).toMatchObject({ needs: 'countersignature', page: `${server.url}/approvals/${id}` })
    expect(await statusOf(id)).toBe('pending')
  })

  test('that is signed on its page ends the waiting at the terminal with the decision', async () => {
    const scene = factorsScene(server, clock)
    const signer = await server.newPerson(acme, [{ role: 'approver', environment: null }])
    const { key: passkey, cookie } = await scene.withPasskey(signer.cookie)
    const id = await underPolicy('countersignature', () => held())
    for (const json of [false, true]) {
      const one = json ? await underPolicy('countersignature', () => held()) : id
      const running = begin(['approve', one, ...(json ? ['--json'] : [])], { who: { ...signer, cookie } })
      await expect.poll(() => running.said.complaint).toContain('Waiting for the decision')
      expect(running.said.opened).toBe(`${server.url}/approvals/${one}`)
      const decision = { approve: true, reason: 'read it twice' }
      const path = `/api/v2/approvals/${one}`
      const asked = await server.call('POST', `${path}/countersignature`, { cookie, body: decision })
      const { challenge_id, options } = asked.body as { challenge_id: string; options: Record<string, unknown> }
      const countersignature = { challenge_id, credential: passkey.get(options) }
      const signed = await server.call('POST', `${path}/decision`, { cookie, body: { ...decision, countersignature } })
      expect(signed.status, signed.text).toBe(200)
      await running.ended
      expect(running.said.code, running.said.complaint).toBe(0)
      if (json) expect(JSON.parse(running.said.out)).toMatchObject({ id: one, status: 'approved' })
      else expect(running.said.out).toContain(`approved by ${signer.email}`)
    }
  })

  test('that is taken back while the terminal waits ends it with a no', async () => {
    const id = await underPolicy('countersignature', () => held())
    const running = begin(['approve', id, '--no-browser'])
    await expect.poll(() => running.said.complaint).toContain('Waiting for the decision')
    const path = `/api/v2/approvals/${id}/cancellation`
    expect((await server.call('POST', path, { cookie: acme.cookie, body: { reason: 'no more' } })).status).toBe(200)
    await running.ended
    expect(running.said).toMatchObject({ code: 1, opened: '' })
    expect(running.said.complaint).toContain('Nothing was decided.')
  })
})

describe('what an agent says', () => {
  test('cannot move the cursor, recolor or reorder what the approver reads', async () => {
    const id = await held('ok\u001b[2J\u001b[1A\r safe \u202Egnorw', { note: '\u001b[31m\u202E' })
    const { out } = await run(['deny', id, '--yes'])
    expect(out).not.toMatch(/[\u001b\r\u202e]/)
    expect(out).toContain('\\u{202e}')
  })

  test('is shown without any character that a terminal obeys, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(shownText(text).replaceAll('\n    ', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      }),
    )
  })
})
