import type { ReadSetting } from '../settings/index.ts'

/** How long sessions of a tenant may last, as its settings say at this moment. */
export type SessionLimits = {
  /** Of a browser that nobody uses. */
  readonly idleMs: number
  /** Of a browser, however much it is used. */
  readonly webMs: number
  /** Of a command line. */
  readonly cliMs: number
}

export type ReadSessionLimits = (tenant: string) => Promise<SessionLimits>

export type Channel = 'web' | 'cli'

export function readSessionLimits(setting: ReadSetting): ReadSessionLimits {
  return async (tenant) => ({
    idleMs: (await setting(tenant, 'sessions.idle_minutes')) * 60_000,
    webMs: (await setting(tenant, 'sessions.hours')) * 3_600_000,
    cliMs: (await setting(tenant, 'sessions.cli_days')) * 86_400_000,
  })
}

type Lasting = {
  readonly channel: Channel
  readonly madeAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
}

/** The limits of now hold, and of those under which it began if those are shorter. */
export function absoluteEndOf(session: Omit<Lasting, 'lastSeenAt'>, limits: SessionLimits): Date {
  const longest = session.channel === 'web' ? limits.webMs : limits.cliMs
  return new Date(Math.min(session.expiresAt.getTime(), session.madeAt.getTime() + longest))
}

export function hasEnded(session: Lasting, limits: SessionLimits, now: Date): boolean {
  if (absoluteEndOf(session, limits) <= now) return true
  return session.channel === 'web' && session.lastSeenAt.getTime() + limits.idleMs <= now.getTime()
}
