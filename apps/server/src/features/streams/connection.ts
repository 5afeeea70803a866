import { type Frame, pingFrame } from './frame.ts'
import type { AssignmentSource, Prefix, RenderingName } from './rollout.ts'
import type { Sink } from './sink.ts'

/** Who opened a stream and what he asked for; nothing of it changes while it is open. */
export type Caller = {
  readonly tenant: string
  readonly environment: string
  readonly agentId: string
  readonly keyId: string
  readonly keyRendering: 'auto' | RenderingName
  readonly signingKeyId: string | null
  readonly prefix: Prefix
  readonly client: string
  readonly address: string
  /** The ruleset it named. */
  readonly asked: string | undefined
  /** The revision it said it runs. */
  readonly reported: string | undefined
  readonly tags: Readonly<Record<string, string>>
}

export type Connection = {
  readonly id: string
  readonly caller: Caller
  readonly sink: Sink
  readonly openedAt: number
  readonly closesAt: number
  /** What the agent said of itself laid over what operators say of it. */
  tags: Readonly<Record<string, string>>
  rendering: RenderingName
  /** The ruleset whose rollouts it is sent; none until it is resolved, or when nothing is assigned. */
  ruleset: string | undefined
  source: AssignmentSource
  /** The name the client goes by: the one it asked for, or the last one a pointer told it. */
  knownName: string | undefined
  /** Its assignment changed while it was connected, so it must be told the name and not the content alone. */
  hasMoved: boolean
  sentRolloutId: string | undefined
  /** The ruleset that it was seen to fetch and its version then: how clients that name nothing on the stream are followed. */
  fetched: { readonly ruleset: string; readonly version: number } | undefined
  /**
   * How often it was looked up who this is and what is meant for him: again a little later, since another replica may
   * have served his fetch a moment ago, and then now and then.
   */
  looks: number
  isLooking: 'no' | 'yes' | 'yes and again'
  /** Set while the reader has not taken what it was sent. */
  behindSince: number | undefined
  isClosed: boolean
}

/** One full update may wait for a slow reader, not two. */
export const pendingBytesMax = 1_048_576
/** A reader that takes nothing for this long is cut off; it comes back and is brought up to date. */
const behindMsMax = 30_000

/**
 * Writes unless the reader is behind: what he missed is found again by comparing once he has caught up, so that a slow
 * one gets the newest and not the history. Answers whether it went out.
 */
export function send(
  connection: Connection,
  frame: Frame,
  now: number,
  onCaughtUp: (one: Connection) => void,
): boolean {
  if (connection.isClosed || connection.behindSince !== undefined) return false
  const { sink } = connection
  const isTaken = sink.write(frame)
  if (sink.pendingBytes() > pendingBytesMax) {
    // Its close is heard as any other.
    sink.cut()
    return false
  }
  if (!isTaken) {
    connection.behindSince = now
    sink.onDrain(() => {
      connection.behindSince = undefined
      onCaughtUp(connection)
    })
  }
  return true
}

/** Keeps it alive; or says that it is too old, or that its reader takes nothing and must be cut off. */
export function tend({ behindSince, sink, closesAt }: Connection, now: number): 'kept' | 'end' | 'cut' {
  if (behindSince !== undefined) return now - behindSince >= behindMsMax ? 'cut' : 'kept'
  if (now >= closesAt) return 'end'
  sink.write(pingFrame)
  return 'kept'
}
