const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'narrow' })
const exact = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
})
const thisYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const otherYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })

/** `4m ago`, `in 2h`; after a week the date, since nobody counts in weeks at three in the morning. */
export function relativeWords(at: number, now: number): string {
  const distance = at - now
  const size = Math.abs(distance)
  if (size < 5000) return 'now'
  if (size < minute) return relative.format(Math.trunc(distance / 1000), 'second')
  if (size < hour) return relative.format(Math.trunc(distance / minute), 'minute')
  if (size < day) return relative.format(Math.trunc(distance / hour), 'hour')
  if (size < 7 * day) return relative.format(Math.trunc(distance / day), 'day')
  return dateWords(at, now)
}

/** `3 Mar`, with the year when it is not this one. */
export function dateWords(at: number, now: number): string {
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear()
  return (isThisYear ? thisYear : otherYear).format(at)
}

/** `Tue, 3 Mar 2026, 14:05:09 CET`: never ambiguous, wherever the reader comes from. */
export function exactWords(at: number): string {
  return exact.format(at)
}

/** `4:05` below an hour, `2h 05m` below a day, else `3d 4h`. Rounded up: what is shown is never more generous than true. */
export function remainingWords(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000))
  const pad = (value: number): string => String(value).padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${pad(seconds % 60)}`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h ${pad(Math.floor((seconds % 3600) / 60))}m`
  return `${Math.floor(seconds / 86_400)}d ${Math.floor((seconds % 86_400) / 3600)}h`
}

/** `850 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`: how long something took. */
export function durationWords(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  if (milliseconds < 10_000) return `${(milliseconds / 1000).toFixed(1)} s`
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min${seconds % 60 ? ` ${seconds % 60} s` : ''}`
  const minutes = Math.floor((seconds % 3600) / 60)
  return `${Math.floor(seconds / 3600)} h${minutes ? ` ${minutes} min` : ''}`
}
