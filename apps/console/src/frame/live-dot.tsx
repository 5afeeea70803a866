import { Tooltip } from '@mantine/core'
import { useStreamStatus } from '../stream/status.ts'
import { relativeWords } from '../ui/instants.ts'
import { useMoment } from '../ui/now.ts'
import classes from './frame.module.css'

/** Whether what is on the screen is now. A word joins the dot as soon as it is not. */
export function LiveDot() {
  const { is, since } = useStreamStatus()
  const now = useMoment()
  const words = {
    connecting: 'Connecting',
    connected: 'Live',
    reconnecting: `Reconnecting · stale since ${relativeWords(since, Math.max(now, since)).replace(' ago', '')}`,
  }[is]
  const help = {
    connecting: 'Opening the event stream.',
    connected: 'Changes show here as they happen.',
    reconnecting: 'The event stream is cut. What you see may be out of date until it is back.',
  }[is]
  return (
    <Tooltip label={help}>
      <span className={classes.live} data-is={is} role="status">
        <span className={classes.liveDot} />
        <span className={is === 'connected' ? classes.liveQuiet : undefined}>{words}</span>
      </span>
    </Tooltip>
  )
}
