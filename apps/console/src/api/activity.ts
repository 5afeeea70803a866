/** How long after the last key or touch a request still counts as somebody's work. */
const restMs = 60_000

let lastInputAt = Date.now()

for (const name of ['pointerdown', 'keydown', 'wheel', 'touchstart'] as const) {
  globalThis.addEventListener?.(
    name,
    () => {
      lastInputAt = Date.now()
    },
    { capture: true, passive: true },
  )
}

/** An open page that refreshes itself is no sign of a person at work, and must not keep a session alive. */
export function isAtRest(now: number = Date.now()): boolean {
  return now - lastInputAt > restMs
}

const usedKey = 'countersign-last-use'

/** Every tab of a browser has the same session, so the last use of any of them counts. */
export function noteUse(now: number = Date.now()): void {
  localStorage.setItem(usedKey, String(now))
}

export function lastUse(): number | null {
  const written = Number(localStorage.getItem(usedKey) ?? Number.NaN)
  return Number.isFinite(written) ? written : null
}
