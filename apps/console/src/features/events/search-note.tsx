import { useEffect, useState } from 'react'
import ui from '../../ui/ui.module.css'
import classes from './events.module.css'
import { momentWords } from './moment.tsx'

type Props = {
  /** Everything newer was looked at. */
  readonly searchedTo: string
  readonly isSearching: boolean
  /** Enough was found for now; scrolling on searches on. */
  readonly isEnough: boolean
  readonly onSearch: () => void
}

/** A search for a rare text goes back in time piece by piece, says how far it came, and can be stopped. */
export function SearchNote({ searchedTo, isSearching, isEnough, onSearch }: Props) {
  const [isStopped, setStopped] = useState(false)
  const mustGoOn = !isStopped && !isEnough && !isSearching
  useEffect(() => {
    if (mustGoOn) onSearch()
  }, [mustGoOn, searchedTo])
  const moment = momentWords(Date.parse(searchedTo))
  if (isStopped || isEnough) {
    return (
      <div className={classes.searching} role="status">
        Everything since {moment} was looked at.
        <button
          type="button"
          className={ui.textButton}
          onClick={() => {
            setStopped(false)
            onSearch()
          }}
        >
          Search on
        </button>
      </div>
    )
  }
  return (
    <div className={classes.searching} role="status">
      Searching, back to {moment} so far
      <button type="button" className={ui.textButton} onClick={() => setStopped(true)}>
        Stop
      </button>
    </div>
  )
}
