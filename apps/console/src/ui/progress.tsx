import { countWords } from './numbers.ts'
import classes from './progress.module.css'

type Props = {
  readonly label: string
  readonly done: number
  /** Null while nobody knows how much there is. */
  readonly total: number | null
  readonly onCancel?: () => void
}

export function Progress({ label, done, total, onCancel }: Props) {
  const words = total === null ? countWords(done) : `${countWords(done)} of ${countWords(total)}`
  return (
    <div className={classes.progress}>
      <div className={classes.words}>
        <span>{label}</span>
        <span className={classes.count}>{words}</span>
        {onCancel && (
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
      <div
        className={classes.bar}
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={total ?? undefined}
        aria-valuenow={total === null ? undefined : done}
        aria-valuetext={words}
      >
        <div style={{ width: total === null || total === 0 ? '0%' : `${Math.min(100, (done / total) * 100)}%` }} />
      </div>
    </div>
  )
}
