import { Button, Popover, TextInput, UnstyledButton } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { serverNow } from '../../api/server-time.ts'
import { CheckIcon, ChevronDownIcon, ClockIcon } from '../../ui/icons.tsx'
import classes from './events.module.css'
import { momentWords } from './moment.tsx'
import { type EventsSearch, ranges, rangeWords } from './search.ts'

type Range = Pick<EventsSearch, 'range' | 'since' | 'until'>
type Props = { readonly search: EventsSearch; readonly onRange: (range: Range) => void }

/** From when until when: up to now, or between two moments. */
export function RangeMenu({ search, onRange }: Props) {
  const [isOpen, setOpen] = useState(false)
  const words = rangeWords(search, momentWords)
  const choose = (range: Range): void => {
    setOpen(false)
    onRange(range)
  }
  return (
    <Popover opened={isOpen} onChange={setOpen} position="bottom-end" width={260} trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton className={classes.button} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <ClockIcon size={14} />
          <span className="cs-hidden">Time range:</span>
          <span>{words}</span>
          <ChevronDownIcon size={12} />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown className={classes.ranges}>
        <ul>
          {ranges.map(({ name, word }) => (
            <li key={name}>
              <button type="button" aria-pressed={word === words} onClick={() => choose({ range: name })}>
                {word}
                {word === words && <CheckIcon size={14} />}
              </button>
            </li>
          ))}
        </ul>
        {isOpen && <Between search={search} onRange={choose} />}
      </Popover.Dropdown>
    </Popover>
  )
}

function Between({ search, onRange }: Props) {
  const [since, setSince] = useState(() => writtenOf(search.since ?? serverNow() - 3_600_000))
  const [until, setUntil] = useState(() => (search.until === undefined ? '' : writtenOf(search.until)))
  const isBackwards = until !== '' && since !== '' && until <= since
  const apply = (event: FormEvent): void => {
    event.preventDefault()
    if (since !== '' && !isBackwards) onRange({ since, ...(until !== '' && { until }) })
  }
  return (
    <form className={classes.between} onSubmit={apply}>
      <TextInput
        type="datetime-local"
        step={1}
        label="From"
        value={since}
        onChange={(event) => setSince(event.currentTarget.value)}
      />
      <TextInput
        type="datetime-local"
        step={1}
        label="Until"
        description="Empty: up to now, with a live tail"
        error={isBackwards ? 'This is before the beginning.' : undefined}
        value={until}
        onChange={(event) => setUntil(event.currentTarget.value)}
      />
      <Button type="submit" variant="default" disabled={since === '' || isBackwards}>
        Show
      </Button>
    </form>
  )
}

/** As the field wants it: the reader's own time, without a zone. */
function writtenOf(at: string | number): string {
  const moment = new Date(at)
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}
