import { expect, test } from 'vitest'
import { makeHttp } from '../../kernel/http.ts'
import { makeLog } from '../../kernel/log.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { tellErrors } from './tell-errors.ts'

test('what fails alike many times is logged whole now and then, and each of the others by its request', async () => {
  const lines: string[] = []
  const http = makeHttp({
    baseUrl: 'http://localhost:8000',
    bodyBytesMax: 1_024,
    trustedProxies: [],
    allowedHosts: [],
    corsOrigins: [],
  })
  const dialect = {
    name: 'test',
    missingHeader: '',
    render: (problem: Problem) => ({ code: problem.kind.code }),
  }
  tellErrors(http, dialect, makeLog('warn', { write: (line) => lines.push(line) }))
  const detail = 'The database cannot be reached.'
  http.get('/', () => Promise.reject(new Problem(problems.unavailable, detail, { cause: new Error('ECONNREFUSED') })))
  http.get('/other', () =>
    Promise.reject(new Problem(problems.unavailable, 'Redis is away.', { cause: new Error('gone') })),
  )
  const asked = 200
  for (let n = 0; n < asked; n += 1) await http.inject({ url: '/', headers: { host: 'localhost:8000' } })
  await http.inject({ url: '/other', headers: { host: 'localhost:8000' } })

  const told = lines.map((line) => JSON.parse(line) as { text: string; request: string; err?: { stack: string } })
  expect(told).toHaveLength(asked + 1)
  expect(new Set(told.map(({ request }) => request)).size).toBe(asked + 1)
  expect(told[0]?.err?.stack).toContain('ECONNREFUSED')
  // Once a second, and this takes far less than as many seconds.
  expect(told.filter(({ text, err }) => text === detail && err).length).toBeLessThan(asked / 2)
  // Something else is told whole at once.
  expect(told.at(-1)).toMatchObject({ text: 'Redis is away.', err: { message: 'gone' } })
  await http.close()
})
