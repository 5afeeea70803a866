import classes from './countdown.module.css'
import { remainingWords } from './instants.ts'
import { useSecond } from './now.ts'
import { urgencyOf } from './urgency.ts'

type Props = {
  readonly deadline: string
  /** With the time it began, a bar shows how much of it is left. */
  readonly since?: string
  readonly withBar?: boolean
}

/** Time left by the server's clock. It never shouts; it only becomes unmistakable near the end. */
export function Countdown({ deadline, since, withBar = false }: Props) {
  const now = useSecond()
  const end = Date.parse(deadline)
  const left = end - now
  const urgency = urgencyOf(left)
  const whole = since === undefined ? left : end - Date.parse(since)
  const share = whole > 0 ? Math.max(0, Math.min(1, left / whole)) : 0
  const words = left <= 0 ? 'deadline passed' : remainingWords(left)
  return (
    <span className={classes.countdown} data-urgency={urgency}>
      {withBar && (
        <span className={classes.bar} aria-hidden="true">
          <span style={{ width: `${share * 100}%` }} />
        </span>
      )}
      <span role="timer" aria-label={left <= 0 ? words : `${words} left`}>
        {words}
      </span>
    </span>
  )
}
