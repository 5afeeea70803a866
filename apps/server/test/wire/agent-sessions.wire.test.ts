import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import { type ServerApart, serverApart } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'

let server: ServerApart
let key: string
let stagingKey: string
const clock = systemClock()

beforeAll(async () => {
  server = await serverApart({ clock })
  const tenant = await server.newTenant()
  key = (await server.newKey(tenant)).key
  stagingKey = (await server.newKey(tenant, 'staging')).key
})
afterAll(async () => {
  await server.stop(expectWholeTrail)
})

let count = 0
const newKey = (): string => {
  count += 1
  return `s:test-${count}:attempts`
}

for (const prefix of ['/v1', '/api/v1'] as const) {
  const at = (name: string): string => `${prefix}/sessions/${name}`
  const get = (name: string, as = key) => server.call('GET', at(encodeURIComponent(name)), { key: as })
  const put = (name: string, value: unknown) =>
    server.call('PUT', at(encodeURIComponent(name)), { key, body: { value } })
  const add = (name: string, amount?: number | string) =>
    server.call('POST', `${at(encodeURIComponent(name))}/increment`, {
      key,
      body: amount === undefined ? {} : typeof amount === 'string' ? amount : { amount },
    })

  test(`wire 56: absent is 404; a counter is put as text, added to as a number, read as text, under ${prefix}`, async () => {
    const name = newKey()
    expect(await get(name)).toMatchObject({ status: 404, body: { detail: 'Key not found' } })
    expect(await put(name, '0')).toMatchObject({ status: 200, body: { value: '0' } })
    expect(await add(name, 1)).toMatchObject({ status: 200, text: '{"value":1}' })
    expect((await get(name)).text).toBe('{"value":"1"}')
  })

  test(`wire 57: counters add in decimal and read as the shortest decimal, under ${prefix}`, async () => {
    const [one, other] = [newKey(), newKey()]
    for (const expected of [1, 2, 3]) expect((await add(one)).body).toEqual({ value: expected })
    expect((await get(one)).body).toEqual({ value: '3' })
    await add(other, 0.1)
    expect((await add(other, 0.2)).text).toBe('{"value":0.3}')
    expect((await get(other)).body).toEqual({ value: '0.3' })
    expect((await add(one, -1)).body).toEqual({ value: 2 })
    await put(other, '2.50')
    expect((await add(other, 0.5)).text).toBe('{"value":3}')
  })

  test(`wire 58: two hundred increments at once give two hundred different results, under ${prefix}`, async () => {
    const name = newKey()
    const answers = await Promise.all(Array.from({ length: 200 }, () => add(name)))
    const values = answers.map(({ body }) => (body as { value: number }).value).toSorted((a, b) => a - b)
    expect(values).toEqual(Array.from({ length: 200 }, (_, at2) => at2 + 1))
    expect((await get(name)).body).toEqual({ value: '200' })
  })

  test(`wire 59: every way of writing a key on the path reaches the same entry, under ${prefix}`, async () => {
    const odd = `s:u${count}@x.com/1:tool:Bash ünïcode?#%`
    await put(odd, 'here')
    expect((await get(odd)).body).toEqual({ value: 'here' })
    const batch = await server.call('POST', at('batch'), { key, body: { keys: [odd] } })
    expect(batch.body).toEqual({ values: { [odd]: 'here' } })
    const plain = `s:abc${count}:attempts`
    await server.call('PUT', at(plain), { key, body: { value: 'raw' } })
    expect((await server.call('GET', at(plain.replaceAll(':', '%3A')), { key })).body).toEqual({ value: 'raw' })
    const literal = `s:100%2525:${count}`
    await put(literal, 'decoded once')
    expect((await get(literal)).body).toEqual({ value: 'decoded once' })
  })

  test(`wire 60: a batch tells of each key, and a key called batch can be read, under ${prefix}`, async () => {
    const [one, other, absent] = [newKey(), newKey(), newKey()]
    await put(one, 'text')
    await add(other, 4)
    const answer = await server.call('POST', at('batch'), { key, body: { keys: [one, other, absent] } })
    expect(answer).toMatchObject({ status: 200, body: { values: { [one]: 'text', [other]: '4', [absent]: null } } })
    await put('batch', 'mine')
    expect((await get('batch')).body).toEqual({ value: 'mine' })
  })

  test(`wire 61: a large value comes back byte for byte, and deleting twice is no error, under ${prefix}`, async () => {
    const name = newKey()
    const value = JSON.stringify({ stages: ['ä😀\u0001'.repeat(50_000)], text: 'x'.repeat(400_000) })
    await put(name, value)
    expect((await get(name)).body).toEqual({ value })
    for (const _ of [1, 2]) {
      const answer = await server.call('DELETE', at(encodeURIComponent(name)), {
        key,
        headers: { 'content-type': 'application/json' },
      })
      expect(answer).toMatchObject({ status: 200, body: { value: null } })
    }
    expect((await get(name)).status).toBe(404)
    for (const odd of ['a\u0000b', 'half \ud800 pair', '"quoted\\"']) {
      await server.call('PUT', at(name), { key, body: JSON.stringify({ value: odd }) })
      expect((await get(name)).body).toEqual({ value: odd })
    }
  })

  test(`wire 62: what is no number is not added to and stays as it was, under ${prefix}`, async () => {
    const name = newKey()
    await put(name, 'abc')
    const other = newKey()
    const [refused, taken] = await Promise.all([add(name), add(other)])
    expect(refused.status).toBe(409)
    expect(taken.body).toEqual({ value: 1 })
    expect((await get(name)).body).toEqual({ value: 'abc' })
    for (const body of ['{"amount":"1"}', '{"amount":null}', '{"amount":1e300}', '[]', '{"amount":true}']) {
      expect((await add(name, body)).status, body).toBe(422)
    }
  })

  test(`wire 63: other environments have their own values, under ${prefix}`, async () => {
    const name = newKey()
    await put(name, 'production')
    expect((await get(name, stagingKey)).status).toBe(404)
    expect((await server.call('POST', at('batch'), { key: stagingKey, body: { keys: [name] } })).body).toEqual({
      values: { [name]: null },
    })
  })

  test(`wire 64: a value is gone seven days after it was last written, under ${prefix}`, async () => {
    const day = 86_400_000
    const name = newKey()
    const kept = newKey()
    await add(name)
    await add(kept)
    clock.adjust(clock.offsetMs() + 5 * day)
    expect((await add(kept)).body).toEqual({ value: 2 })
    expect((await get(name)).body).toEqual({ value: '1' })
    clock.adjust(clock.offsetMs() + 3 * day)
    expect((await get(name)).status).toBe(404)
    expect((await get(kept)).body).toEqual({ value: '2' })
    expect((await add(name)).body).toEqual({ value: 1 })
    clock.adjust(0)
  })

  test(`keys that cannot be are refused by name, under ${prefix}`, async () => {
    for (const bad of ['a%00b', 'a%0Ab', 'x'.repeat(16_385)]) {
      expect((await server.call('GET', at(bad), { key })).status, bad.slice(0, 10)).toBe(422)
    }
    expect((await server.call('GET', at('x'.repeat(16_384)), { key })).status).toBe(404)
    expect((await server.call('POST', at('batch'), { key, body: { keys: ['a\u0000'] } })).status).toBe(422)
    expect((await server.call('POST', at('batch'), { key, body: { keys: 'a' } })).status).toBe(422)
    expect((await put(newKey(), 5)).status).toBe(422)
  })
}

test('wire 63: when the store is down the answer is 5xx, never 404', async () => {
  const superuser = new pg.Client({ connectionString: server.database.superuserUrl })
  await superuser.connect()
  await superuser.query('alter table agent_session_values rename to gone')
  try {
    for (const prefix of ['/v1', '/api/v1']) {
      const answer = await server.call('GET', `${prefix}/sessions/s:x:attempts`, { key })
      expect(answer.status).toBeGreaterThanOrEqual(500)
    }
  } finally {
    await superuser.query('alter table gone rename to agent_session_values')
    await superuser.end()
  }
})
