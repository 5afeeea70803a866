import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { type Announcement, startRefreshing } from '../stream/announcements.ts'
import { useStreamStatus } from '../stream/status.ts'
import { listen } from '../stream/stream.ts'
import { lookForNewerConsole } from './document-state.ts'

const listeners = new Set<(announcement: Announcement) => void>()

/** Keeps what is shown in step with the server for as long as the frame is on the page. */
export function useLiveRefresh(): void {
  const client = useQueryClient()
  useEffect(() => {
    const refresh = startRefreshing(client)
    return listen((announcement) => {
      refresh(announcement)
      for (const listener of listeners) listener(announcement)
    })
  }, [client])
}

/** Whoever was away and is back may be a newer server with a newer console. */
export function useNewerConsole(): void {
  const { is } = useStreamStatus()
  const wasAway = useRef(false)
  useEffect(() => {
    if (is === 'connected' && wasAway.current) void lookForNewerConsole()
    wasAway.current = is === 'reconnecting'
  }, [is])
}

/** For pages that do more with an announcement than fetch again, such as counting what is new. */
export function useAnnouncements(listener: (announcement: Announcement) => void): void {
  useEffect(() => {
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }, [listener])
}
