import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { expect, test, vi } from 'vitest'
import { announcementNames, readAnnouncement, readByItsPage, staleKeys, startRefreshing } from './announcements.ts'

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

test('after a gap in the stream a list that its page keeps in step is not read again under its reader, unless it could not be read', async () => {
  vi.useFakeTimers()
  try {
    const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
    const read = { kept: 0, failed: 0, other: 0 }
    const watch = (name: keyof typeof read, isKept: boolean) =>
      new QueryObserver(client, {
        queryKey: [name],
        queryFn: () => {
          read[name] += 1
          return name === 'failed' ? Promise.reject(new Error('The server is away.')) : Promise.resolve([])
        },
        meta: { [readByItsPage]: isKept },
      }).subscribe(() => undefined)
    const ends = [watch('kept', true), watch('failed', true), watch('other', false)]
    await vi.advanceTimersByTimeAsync(1000)
    startRefreshing(client)({ name: 'reset', data: {} })
    await vi.advanceTimersByTimeAsync(1000)
    expect(read).toEqual({ kept: 1, failed: 2, other: 2 })
    expect(client.getQueryState(['kept'])?.isInvalidated).toBe(true)
    for (const end of ends) end()
  } finally {
    vi.useRealTimers()
  }
})
