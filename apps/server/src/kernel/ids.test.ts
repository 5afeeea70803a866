import { expect, test } from 'vitest'
import { idMaker, isId } from './ids.ts'

test('ids are UUIDs of version 7 in the order in which they were made, and no two are alike in their random part', () => {
  const newId = idMaker(() => new Date('2026-01-01T00:00:00.000Z'))
  const ids = Array.from({ length: 20_000 }, () => newId())
  expect(ids.every((id) => isId(id) && /^.{14}7.{4}[89ab]/.test(id))).toBe(true)
  expect(ids.toSorted()).toEqual(ids)
  expect(new Set(ids.map((id) => id.slice(19))).size).toBe(20_000)
})
