import type { Permission } from '@countersign/wire'
import type { FastifyReply } from 'fastify'
import type { Bus, Message } from '../../kernel/bus.ts'
import type { Clock, Stop } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { pendingBytesMax } from './connection.ts'
import { eventFrame, type Frame, makeFrame, pingFrame } from './frame.ts'
import { readOutbox } from './outbox-table.ts'
import { openSink, type Sink } from './sink.ts'

/** What one family of consoles calls a message, and who may hear it. Nothing: they do not know it. */
export type Speak = (
  message: Message,
) => { readonly name: string; readonly data: object; readonly needs: Permission } | undefined

export type Viewer = {
  readonly tenant: string
  readonly sessionId: string
  readonly permissions: ReadonlySet<Permission>
}

type Needs = {
  readonly db: Sql
  readonly bus: Pick<Bus, 'on'>
  readonly clock: Clock
  readonly log: Log
  /** Which of these sessions still hold; an open stream is no sign of a person at work. */
  readonly liveSessions: (ids: readonly string[]) => Promise<ReadonlySet<string>>
}

export type ConsoleHub = {
  readonly open: (
    viewer: Viewer,
    reply: FastifyReply,
    how: { readonly speak: Speak; readonly lastEventId?: number | undefined; readonly isResumable: boolean },
  ) => Promise<void>
  readonly count: () => number
  readonly start: () => void
  readonly drain: () => void
}

type Open = {
  readonly viewer: Viewer
  readonly sink: Sink
  readonly speak: Speak
  /** Held back while what was missed is still being read. */
  waiting: Message[] | undefined
}

const pingMs = 12_500
const sessionCheckMs = 30_000
const perSessionMax = 20
const perReplicaMax = 5_000

/** Tells consoles what happened, each what its person may know, and what a person missed while away. */
export function makeConsoleHub({ db, bus, clock, log, liveSessions }: Needs): ConsoleHub {
  const open = new Set<Open>()
  const frames = new WeakMap<Message, Map<Speak, { readonly frame: Frame; readonly needs: Permission } | undefined>>()
  let isDraining = false
  let stops: Stop[] = []

  const end = (one: Open): void => {
    if (open.delete(one)) one.sink.end()
  }

  const tell = (one: Open, message: Message): void => {
    if (!open.has(one)) return
    const spoken = frames.get(message) ?? new Map()
    frames.set(message, spoken)
    if (!spoken.has(one.speak)) {
      const said = one.speak(message)
      const frame = said && eventFrame(said.name, JSON.stringify(said.data), message.id)
      spoken.set(one.speak, said && { frame, needs: said.needs })
    }
    const said = spoken.get(one.speak)
    if (!said || !one.viewer.permissions.has(said.needs)) return
    write(one, said.frame)
  }

  const write = (one: Open, frame: Frame): void => {
    one.sink.write(frame)
    if (one.sink.pendingBytes() <= pendingBytesMax) return
    open.delete(one)
    one.sink.cut()
  }

  bus.on('*', (message) => {
    if (message.tenant === null) return
    for (const one of [...open]) {
      if (one.viewer.tenant !== message.tenant) continue
      if (message.topic === 'session.ended') {
        if (message.body['session_id'] !== one.viewer.sessionId) continue
        write(one, eventFrame('session.ended', '{}', message.id))
        end(one)
      } else if (one.waiting) one.waiting.push(message)
      else tell(one, message)
    }
  })

  /** What was said since, some of it perhaps twice; or that everything must be fetched anew. */
  const catchUp = async (one: Open, lastEventId: number | undefined): Promise<void> => {
    const { newest, missed } = await readOutbox(db, one.viewer.tenant, lastEventId)
    const told = new Set(missed?.map(({ id }) => id))
    // Where this client is now, also when nothing ever happens.
    write(one, makeFrame(`id: ${newest}\n\n`))
    if (missed === undefined && lastEventId !== undefined) write(one, eventFrame('reset', '{}', newest))
    for (const message of missed ?? []) tell(one, message)
    const waiting = one.waiting ?? []
    one.waiting = undefined
    for (const message of waiting) if (!told.has(message.id)) tell(one, message)
  }

  const checkSessions = async (): Promise<void> => {
    const ids = [...new Set([...open].map(({ viewer }) => viewer.sessionId))]
    if (ids.length === 0) return
    const live = await liveSessions(ids)
    for (const one of [...open]) {
      if (live.has(one.viewer.sessionId)) continue
      write(one, eventFrame('session.ended', '{}'))
      end(one)
    }
  }

  return {
    open: async (viewer, reply, { speak, lastEventId, isResumable }) => {
      const mine = [...open].filter((one) => one.viewer.sessionId === viewer.sessionId)
      if (isDraining || open.size >= perReplicaMax) {
        throw new Problem(problems.unavailable, 'No stream can be opened here now. Connect again.', {
          retryAfterSeconds: 1,
        })
      }
      // A browser that opens more has forgotten the first.
      if (mine.length >= perSessionMax && mine[0]) end(mine[0])
      const sink = openSink(reply, () => open.delete(one))
      if (!sink) return
      const one: Open = { viewer, sink, speak, waiting: isResumable ? [] : undefined }
      open.add(one)
      if (!isResumable) return
      try {
        await catchUp(one, lastEventId)
      } catch (err) {
        log.warn({ err }, 'A console could not be told what it missed and will connect again')
        end(one)
      }
    },
    count: () => open.size,
    start: () => {
      const ping = (): void => {
        for (const one of [...open]) write(one, pingFrame)
      }
      const check = () =>
        checkSessions().catch((err: unknown) => {
          log.debug({ err }, 'Sessions of open consoles could not be checked and will be again')
        })
      stops = [clock.every(pingMs, ping), clock.every(sessionCheckMs, check)]
    },
    drain: () => {
      isDraining = true
      for (const stop of stops) stop()
      for (const one of [...open]) end(one)
    },
  }
}
