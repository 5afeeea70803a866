import { expect, test } from 'vitest'
import { grouped, isGrantable, nameFrom } from './words.ts'

const view = (name: string, is_held = true) => ({
  name,
  does: '',
  reach: 'anywhere' as const,
  is_guarded: false,
  for_tokens: true,
  is_held,
})

test('a name is made of a title as the server takes it', () => {
  expect(nameFrom('  Night Shift, EU!  ')).toBe('night-shift-eu')
  expect(nameFrom('24/7 on call')).toBe('on-call')
  expect(nameFrom('é')).toBe('')
})

test('permissions about one thing stand together, whatever its noun', () => {
  expect(grouped([view('approvals:read'), view('approval:decide'), view('odd:thing')]).map(({ word }) => word)).toEqual(
    ['Approvals', 'odd'],
  )
})

test('a role with one permission that is not held cannot be given', () => {
  const all = [view('a:read'), view('b:write', false)]
  expect(isGrantable({ permissions: ['a:read'] }, all)).toBe(true)
  expect(isGrantable({ permissions: ['a:read', 'b:write'] }, all)).toBe(false)
})
