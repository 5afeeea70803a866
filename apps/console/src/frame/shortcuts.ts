import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { visibleTo } from './navigation.ts'

/** How long after `g` the second key counts. */
const pairMs = 1200

type Opens = { readonly palette: () => void; readonly help: () => void }

/** Ctrl/⌘-K opens the palette anywhere; `?` lists the keys; `g` and a letter go somewhere when nothing is being written. */
export function useShortcuts(permissions: readonly string[], opens: Opens): void {
  const navigate = useNavigate()
  const open = useRef(opens)
  open.current = opens
  useEffect(() => {
    let pressedG = 0
    const onKey = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        open.current.palette()
        return
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return
      if (event.key === '?') {
        event.preventDefault()
        open.current.help()
        return
      }
      if (event.key === 'g') {
        pressedG = event.timeStamp
        return
      }
      if (pressedG > 0 && event.timeStamp - pressedG < pairMs) {
        const destination = visibleTo(permissions)
          .flatMap(({ destinations }) => destinations)
          .find(({ key }) => key === event.key)
        if (destination) {
          event.preventDefault()
          event.stopImmediatePropagation()
          void navigate({ to: destination.to })
        }
      }
      pressedG = 0
    }
    // Before the page's own keys, so that the second key of a pair is not taken for one of them.
    window.addEventListener('keydown', onKey, { capture: true })
    return () => window.removeEventListener('keydown', onKey, { capture: true })
  }, [navigate, permissions])
}

/** Single keys act only when nothing is being written and nothing lies on top of the page. */
export function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return (
    target.closest(
      'input:not([type="checkbox"]), textarea, select, [contenteditable="true"], [role="dialog"], [role="menu"]',
    ) !== null
  )
}
