import { expect, test } from 'vitest'
import { ApiProblem, fieldErrors, readProblem } from './problem.ts'

const none = new Headers()

test('a problem document keeps its code, detail, request id and field errors', () => {
  const body = {
    code: 'invalid_input',
    title: 'Invalid input',
    detail: 'The label is too long.',
    request_id: 'r-1',
    errors: [
      { path: 'body.label', message: 'At most 100 characters.' },
      { path: '/body/items/0', message: 'No.' },
      7,
      null,
    ],
  }
  const problem = readProblem(422, JSON.stringify(body), none)
  expect(problem).toMatchObject({ status: 422, code: 'invalid_input', requestId: 'r-1', message: body.detail })
  expect(fieldErrors(problem)).toEqual({ label: 'At most 100 characters.', 'items.0': 'No.' })
})

test('an answer that is no problem document is still told in words, with the request id of its header', () => {
  const problem = readProblem(502, '<html>Bad gateway</html>', new Headers({ 'x-request-id': 'r-2' }))
  expect(problem).toBeInstanceOf(ApiProblem)
  expect(problem.message).toBe('The server answered 502 without saying why.')
  expect(problem.requestId).toBe('r-2')
})

test.each(['null', '7', '[]', '"text"', ''])('the body %j is survived', (text) => {
  expect(readProblem(500, text, none).code).toBe('http_500')
})

test('only a sensible Retry-After is believed', () => {
  const after = (value: string) => readProblem(429, '{}', new Headers({ 'retry-after': value })).retryAfterSeconds
  expect(after('12')).toBe(12)
  expect(after('soon')).toBeNull()
  expect(after('-4')).toBeNull()
})
