import { exactWords } from '../../ui/instants.ts'
import uiClasses from '../../ui/ui.module.css'
import classes from './events.module.css'

const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const time = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})
const fine = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
})

type Props = { readonly at: string; readonly isShort?: boolean }

/** To the millisecond, since events of one call lie close together; the zone on hover, ISO 8601 when copied. */
export function Moment({ at, isShort = false }: Props) {
  const moment = Date.parse(at)
  return (
    <time
      dateTime={at}
      title={exactWords(moment)}
      className={uiClasses.instant}
      onCopy={(event) => {
        event.clipboardData.setData('text/plain', at)
        event.preventDefault()
      }}
    >
      {!isShort && <span className={classes.date}>{date.format(moment)}</span>}
      {(isShort ? time : fine).format(moment)}
    </time>
  )
}

/** `3 Mar, 14:05`: where an axis would say it. */
export function momentWords(at: number): string {
  return `${date.format(at)}, ${time.format(at).slice(0, 5)}`
}
