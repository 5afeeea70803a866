import { countWords } from '../../ui/numbers.ts'
import classes from './events.module.css'
import type { Waiting } from './use-tail.ts'

type SwitchProps = { readonly isLive: boolean; readonly onChange: (isLive: boolean) => void }

export function LiveSwitch({ isLive, onChange }: SwitchProps) {
  return (
    <button
      type="button"
      className={classes.button}
      data-live={isLive || undefined}
      aria-pressed={isLive}
      title={isLive ? 'New events come in at the top; scrolling holds them' : 'New events are counted, not shown'}
      onClick={() => onChange(!isLive)}
    >
      <span className={classes.dot} aria-hidden="true" />
      Live
    </button>
  )
}

type NewProps = { readonly waiting: Waiting; readonly onShow: () => void }

/** Said instead of moving what somebody reads. */
export function NewEvents({ waiting: { count, isMore }, onShow }: NewProps) {
  return (
    <div className={classes.newEvents} role="status">
      <button type="button" onClick={onShow}>
        Show {countWords(count)}
        {isMore && '+'} new {count === 1 ? 'event' : 'events'}
      </button>
    </div>
  )
}
