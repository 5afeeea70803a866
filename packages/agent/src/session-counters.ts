import type { Counters } from '@countersign/rules'

/** Where the counters of sessions are kept. Whatever fails here throws, and the call is blocked. */
export type SessionCounters = {
  /** Counts the attempt and tells what had happened, this attempt included. */
  readonly attempt: (sessionId: string, tool: string) => Counters | Promise<Counters>
  /** The same without counting: asked again after a human took his time. */
  readonly look: (sessionId: string, tool: string) => Counters | Promise<Counters>
  /**
   * Counts one execution before it happens and tells what had happened without it. Two calls at once thus see each
   * other, and a limit lets through exactly what it says.
   */
  readonly reserve: (sessionId: string, tool: string) => Executions | Promise<Executions>
  /** Takes a reservation back: the execution did not happen after all. */
  readonly release: (sessionId: string, tool: string) => void | Promise<void>
}

export type Executions = Pick<Counters, 'executions' | 'perTool'>

type Session = { attempts: number; executions: number; readonly perTool: Map<string, number>; usedAtMs: number }

/** As long as a server keeps them. */
const idleMsMax = 7 * 24 * 3_600_000
const sessionsMax = 100_000
const toolsMax = 10_000

/** Counters of this process. A restart begins anew; a fleet that shares limits keeps them on the server. */
export function localCounters(steadyMs: () => number): SessionCounters {
  const sessions = new Map<string, Session>()

  const open = (id: string): Session => {
    const known = sessions.get(id)
    if (known) return known
    const now = steadyMs()
    if (sessions.size >= sessionsMax) {
      for (const [old, { usedAtMs }] of sessions) if (now - usedAtMs > idleMsMax) sessions.delete(old)
      // Forgetting one that is in use would lift its limits.
      if (sessions.size >= sessionsMax) throw new Error(`More than ${sessionsMax} sessions are in use.`)
    }
    const made = { attempts: 0, executions: 0, perTool: new Map<string, number>(), usedAtMs: now }
    sessions.set(id, made)
    return made
  }

  const add = (session: Session, tool: string, amount: number): void => {
    if (!session.perTool.has(tool) && session.perTool.size >= toolsMax) {
      throw new Error(`The session used more than ${toolsMax} tools.`)
    }
    session.executions += amount
    session.perTool.set(tool, (session.perTool.get(tool) ?? 0) + amount)
  }

  /** As it is now; only this tool's count is ever asked for. */
  const seen = ({ attempts, executions, perTool }: Session, tool: string): Counters => {
    return { attempts, executions, perTool: new Map<string, number>().set(tool, perTool.get(tool) ?? 0) }
  }

  return {
    attempt: (id, tool) => {
      const session = open(id)
      session.attempts += 1
      session.usedAtMs = steadyMs()
      return seen(session, tool)
    },
    look: (id, tool) => seen(open(id), tool),
    reserve: (id, tool) => {
      const session = open(id)
      const before = seen(session, tool)
      add(session, tool, 1)
      return before
    },
    release: (id, tool) => {
      add(open(id), tool, -1)
    },
  }
}
