import { Tooltip } from '@mantine/core'
import { exactWords, relativeWords } from './instants.ts'
import { useMoment } from './now.ts'
import classes from './ui.module.css'

type Props = { readonly at: string; readonly form?: 'relative' | 'exact' }

/** A moment: relative, exact with its zone on hover and for readers, ISO 8601 when selected and copied. */
export function Instant({ at, form = 'relative' }: Props) {
  const now = useMoment()
  const time = Date.parse(at)
  if (Number.isNaN(time)) return <span>{at}</span>
  const exact = exactWords(time)
  return (
    <Tooltip label={exact} disabled={form === 'exact'}>
      <time
        dateTime={at}
        className={classes.instant}
        onCopy={(event) => {
          event.clipboardData.setData('text/plain', at)
          event.preventDefault()
        }}
      >
        {form === 'exact' ? exact : relativeWords(time, now)}
      </time>
    </Tooltip>
  )
}
