import { useEffect, useRef } from 'react'
import { isWriting } from '../frame/shortcuts.ts'

type Handler = (event: KeyboardEvent) => void

/** Single keys of a page, such as `j` and `a`: silent while something is written or a dialog lies on top. */
export function useKeys(handlers: Readonly<Record<string, Handler | undefined>>): void {
  const current = useRef(handlers)
  current.current = handlers
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isWriting(event.target)) return
      const handler = current.current[event.key]
      if (!handler) return
      event.preventDefault()
      handler(event)
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
}
