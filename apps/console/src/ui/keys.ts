import { useEffect, useRef } from 'react'
import { isWriting } from '../frame/shortcuts.ts'

type Handler = (event: KeyboardEvent) => void

type Handlers = { readonly current: Readonly<Record<string, Handler | undefined>> }

/** Of everything on the page, since a key of one part is no stray for another. */
const mounted = new Set<Handlers>()
/** So soon after a key that means nothing here, a letter belongs to a text somebody thinks he is writing, or to a pair that came late. */
const strayMs = 2000
let strayAt = Number.NEGATIVE_INFINITY
let judged: { readonly event: KeyboardEvent; readonly isStray: boolean } | undefined

function isStray(event: KeyboardEvent): boolean {
  if (judged?.event === event) return judged.isStray
  const isKnown = [...mounted].some(({ current }) => current[event.key] !== undefined)
  const found = event.key.length === 1 && (!isKnown || event.timeStamp - strayAt < strayMs)
  if (found) strayAt = event.timeStamp
  judged = { event, isStray: found }
  return found
}

/** Single keys of a page, such as `j` and `a`: silent while something is written or a dialog lies on top. */
export function useKeys(handlers: Readonly<Record<string, Handler | undefined>>): void {
  const current = useRef(handlers)
  current.current = handlers
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isWriting(event.target)) return
      const handler = current.current[event.key]
      if (isStray(event) || !handler) return
      event.preventDefault()
      handler(event)
    }
    // Another page has other keys, so what was stray before it is none on it.
    strayAt = Number.NEGATIVE_INFINITY
    mounted.add(current)
    window.addEventListener('keydown', onKey)
    return () => {
      mounted.delete(current)
      window.removeEventListener('keydown', onKey)
    }
  }, [])
}
