/** The server writes the last use of a session at most once a minute, so the end may come that much sooner. */
const writtenEveryMs = 60_000
const askBeforeMs = 60_000

export type Idle =
  | { readonly is: 'used' }
  | { readonly is: 'ending'; readonly leftMs: number }
  | { readonly is: 'ended' }

/** Where a session that was last used then stands now; it is asked about in its last minute. */
export function idleOf(lastUseAt: number | null, idleSeconds: number, now: number): Idle {
  if (lastUseAt === null) return { is: 'used' }
  // A session shorter than two minutes would otherwise be asked about from its first second.
  const margin = Math.min(writtenEveryMs, (idleSeconds * 1000) / 4)
  const leftMs = lastUseAt + idleSeconds * 1000 - margin - now
  if (leftMs <= 0) return { is: 'ended' }
  return leftMs <= Math.min(askBeforeMs, (idleSeconds * 1000) / 4) ? { is: 'ending', leftMs } : { is: 'used' }
}
