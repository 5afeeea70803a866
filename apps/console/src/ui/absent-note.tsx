import { useEffect, useState } from 'react'
import { FailIcon } from './icons.tsx'
import classes from './states.module.css'

type Props = {
  /** What the address names, as in `key`. */
  readonly what: string
  /** The id or name in the address, if any. */
  readonly id: string | undefined
  /** Whether it is in the list; undefined until there is one. */
  readonly isThere: boolean | undefined
  /** Why it may not be, where there is more to it than the address: `a revoked one is listed on demand`. */
  readonly hint?: string
  readonly onClear: () => void
}

/** Above a list whose address names something that is not in it; silent about what was there and is gone meanwhile. */
export function AbsentNote({ what, id, isThere, hint, onClear }: Props) {
  const [seen, setSeen] = useState<string>()
  useEffect(() => {
    if (isThere && id !== undefined) setSeen(id)
  }, [id, isThere])
  if (id === undefined || isThere !== false || seen === id) return null
  return (
    <div className={classes.partial} role="status">
      <FailIcon size={14} />
      <span>
        There is no {what} <code>{id}</code> here: the address was cut short, or it was removed
        {hint !== undefined && `; ${hint}`}.
      </span>
      <button type="button" className={classes.link} onClick={onClear}>
        All right
      </button>
    </div>
  )
}
