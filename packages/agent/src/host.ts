import { homedir } from 'node:os'

export type Stop = () => void

/** Where time comes from. Deadlines are measured on the steady one, so that a clock that is set changes none of them. */
export type Clock = {
  /** The time of day, for what is reported. */
  readonly now: () => Date
  /** Milliseconds that only go forward. */
  readonly steadyMs: () => number
  /** Calls once after so long. */
  readonly after: (milliseconds: number, work: () => void) => Stop
}

export const systemClock: Clock = {
  now: () => new Date(),
  steadyMs: () => performance.now(),
  after: (milliseconds, work) => {
    const timer = setTimeout(work, milliseconds)
    return () => {
      clearTimeout(timer)
    }
  },
}

/** Again and again, and never what keeps a process from ending. */
export function every(milliseconds: number, work: () => void): Stop {
  const timer = setInterval(work, milliseconds)
  timer.unref()
  return () => {
    clearInterval(timer)
  }
}

/** Between 0 and 1, so that agents that lost the same server do not come back in step. */
export function chance(): number {
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1))
  return number / 4_294_967_296
}

export function processEnvironment(): Readonly<Record<string, string>> {
  // Looked at when a rule asks for a variable; what is not set reads as missing.
  return process.env as Readonly<Record<string, string>>
}

export function homeFolder(): string {
  return homedir()
}

/** Heard by whoever does not listen otherwise: silence would hide that an agent enforces old rules. */
export function warn(message: string): void {
  process.emitWarning(message, 'CountersignWarning')
}
