/** How far the server's clock is ahead of this machine's, in milliseconds. Deadlines are the server's, not the laptop's. */
let ahead = 0

/** The Date header has whole seconds, so a difference below two is nothing but rounding and travel. */
const toleranceMs = 2000

export function learnServerTime(header: string | null, local: number = Date.now()): void {
  if (header === null) return
  const difference = Date.parse(header) + 500 - local
  if (Number.isFinite(difference)) ahead = Math.abs(difference) < toleranceMs ? 0 : difference
}

export function serverNow(): number {
  return Date.now() + ahead
}
