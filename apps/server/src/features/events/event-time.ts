const hasZone = /(?:[Zz]|[+-]\d{2}:?\d{2})$/
const fraction = /\.\d{3}(\d{1,3})/
const firstMs = 0
/** The year 10000: later times have texts that not every reader takes. */
const endMs = 253_402_300_800_000

/**
 * Microseconds since 1970 of the time an event names, or nothing when it cannot be read. Text without a zone is UTC,
 * as the SDKs mean it; a number is seconds, or milliseconds when it is too large for that.
 */
export function readEventTime(value: unknown): number | undefined {
  if (typeof value === 'number') {
    const milliseconds = Math.abs(value) >= 100_000_000_000 ? value : value * 1_000
    return isWithin(milliseconds) ? Math.round(milliseconds * 1_000) : undefined
  }
  if (typeof value !== 'string' || value.length < 10 || value.length > 40) return undefined
  const isZoned = value.endsWith('Z') || hasZone.test(value)
  const milliseconds = Date.parse(isZoned || value.length === 10 ? value : `${value}Z`)
  if (!isWithin(milliseconds)) return undefined
  const finer = value.length > 24 ? fraction.exec(value)?.[1] : undefined
  return milliseconds * 1_000 + (finer === undefined ? 0 : Number(finer.padEnd(3, '0')))
}

function isWithin(milliseconds: number): boolean {
  return milliseconds >= firstMs && milliseconds < endMs
}
