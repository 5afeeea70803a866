import { QueryClient } from '@tanstack/react-query'
import { expect, test, vi } from 'vitest'
import { announcementNames, readAnnouncement, staleKeys, startRefreshing } from './announcements.ts'

test('every announcement but reset says what it makes stale', () => {
  for (const name of announcementNames.filter((known) => known !== 'reset')) expect(staleKeys(name)).not.toEqual([])
})

test('a message of an unknown name is left alone, and broken data does not lose a known one', () => {
  expect(readAnnouncement('surprise', '{}')).toBeNull()
  expect(readAnnouncement('key.revoked', '{"id":')).toEqual({ name: 'key.revoked', data: {} })
  expect(readAnnouncement('key.revoked', '{"id":"k"}')).toEqual({ name: 'key.revoked', data: { id: 'k' } })
})

test('a burst of announcements is one refresh, of what they touch and nothing else', async () => {
  vi.useFakeTimers()
  try {
    const client = new QueryClient()
    for (const key of ['keys', 'approvals', 'settings']) client.setQueryData([key], [])
    const invalidated = vi.spyOn(client, 'invalidateQueries')
    const announce = startRefreshing(client)
    for (let count = 0; count < 1000; count += 1) announce({ name: 'key.created', data: {} })
    await vi.advanceTimersByTimeAsync(1000)
    expect(invalidated).toHaveBeenCalledTimes(1)
    const isStale = (key: string) => client.getQueryState([key])?.isInvalidated
    expect([isStale('keys'), isStale('approvals'), isStale('settings')]).toEqual([true, false, false])
    announce({ name: 'reset', data: {} })
    await vi.advanceTimersByTimeAsync(1000)
    expect([isStale('keys'), isStale('approvals'), isStale('settings')]).toEqual([true, true, true])
  } finally {
    vi.useRealTimers()
  }
})
