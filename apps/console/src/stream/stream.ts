import { type Announcement, announcementNames, readAnnouncement } from './announcements.ts'
import { type StreamStatus, setStreamStatus } from './status.ts'

/** What the tab that holds the stream tells the others. */
type Relay =
  | { readonly is: 'announcement'; readonly announcement: Announcement }
  | { readonly is: 'status'; readonly status: StreamStatus }
  | { readonly is: 'who leads' }

const channelName = 'countersign-stream'
const reset: Announcement = { name: 'reset', data: {} }
const firstWaitMs = 1000
const longestWaitMs = 15_000

/**
 * One connection for all tabs of a browser: the tab that holds the lock reads the stream and relays it. When that tab
 * goes, the browser hands the lock to another, which refreshes everything once, since nobody listened in between.
 * Returns what ends it.
 */
export function listen(onAnnouncement: (announcement: Announcement) => void): () => void {
  const ended = new AbortController()
  const channel = new BroadcastChannel(channelName)
  channel.addEventListener('message', ({ data }: MessageEvent<Relay>) => {
    if (data.is === 'announcement') onAnnouncement(data.announcement)
    if (data.is === 'status') setStreamStatus(data.status)
  })
  channel.postMessage({ is: 'who leads' } satisfies Relay)
  navigator.locks
    .request(channelName, { signal: ended.signal }, () => lead(channel, onAnnouncement, ended.signal))
    .catch(() => {
      // The request was given up before the lock came: another tab leads, and this one is done.
    })
  return () => {
    ended.abort()
    channel.close()
  }
}

/** Reads the stream for as long as this tab listens. */
function lead(
  channel: BroadcastChannel,
  onAnnouncement: (announcement: Announcement) => void,
  signal: AbortSignal,
): Promise<void> {
  let status: StreamStatus = { is: 'connecting', since: Date.now() }
  let waitMs = firstWaitMs
  let wasOpen = false
  let source: EventSource | undefined
  let again: ReturnType<typeof setTimeout> | undefined

  const tell = (is: StreamStatus['is']): void => {
    if (status.is === is && is !== 'connecting') return
    status = { is, since: Date.now() }
    setStreamStatus(status)
    if (!signal.aborted) channel.postMessage({ is: 'status', status } satisfies Relay)
  }
  const pass = (announcement: Announcement): void => {
    onAnnouncement(announcement)
    if (!signal.aborted) channel.postMessage({ is: 'announcement', announcement } satisfies Relay)
  }
  const connect = (): void => {
    const opened = new EventSource('/api/v2/stream')
    source = opened
    opened.addEventListener('open', () => {
      waitMs = firstWaitMs
      // The browser resumes by id when it reconnects by itself; a connection of our own making starts from nothing.
      if (!wasOpen) pass(reset)
      wasOpen = true
      tell('connected')
    })
    for (const name of announcementNames) {
      opened.addEventListener(name, ({ data }: MessageEvent<string>) => {
        const announcement = readAnnouncement(name, data)
        if (announcement) pass(announcement)
      })
    }
    opened.addEventListener('error', () => {
      tell('reconnecting')
      if (opened.readyState !== EventSource.CLOSED || signal.aborted) return
      // Refused (signed out, draining, too many): the browser gives up, so we try again, less and less often.
      wasOpen = false
      again = setTimeout(connect, waitMs * (0.75 + Math.random() / 2))
      waitMs = Math.min(waitMs * 2, longestWaitMs)
    })
  }
  channel.addEventListener('message', ({ data }: MessageEvent<Relay>) => {
    if (data.is === 'who leads') channel.postMessage({ is: 'status', status } satisfies Relay)
  })
  connect()
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      clearTimeout(again)
      source?.close()
      resolve()
    })
  })
}
