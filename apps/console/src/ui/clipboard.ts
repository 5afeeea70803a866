import { useEffect, useRef, useState } from 'react'

/** Copies, and says for a moment that it did; `failed` where the browser does not allow it. */
export function useCopy(): { readonly state: 'idle' | 'copied' | 'failed'; readonly copy: (text: string) => void } {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle')
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  const show = (next: 'copied' | 'failed'): void => {
    setState(next)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => setState('idle'), 1600)
  }
  const copy = (text: string): void => {
    write(text).then(
      () => show('copied'),
      () => show('failed'),
    )
  }
  return { state, copy }
}

async function write(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  // Plain http on a name other than localhost has no clipboard interface; the old command still works there.
  const area = document.createElement('textarea')
  area.value = text
  area.setAttribute('readonly', '')
  area.className = 'cs-hidden'
  document.body.append(area)
  area.select()
  const isDone = document.execCommand('copy')
  area.remove()
  if (!isDone) throw new Error('The browser does not allow copying here')
}
