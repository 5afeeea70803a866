import { Tooltip } from '@mantine/core'
import { useCopy } from './clipboard.ts'
import { CheckIcon, CopyIcon } from './icons.tsx'
import classes from './ui.module.css'

type Props = {
  readonly text: string
  /** What is copied, as in `Copy key`. */
  readonly what: string
  readonly withWord?: boolean
}

export function CopyButton({ text, what, withWord = false }: Props) {
  const { state, copy } = useCopy()
  const said = { idle: `Copy ${what}`, copied: 'Copied', failed: 'Not copied: select it and press Ctrl-C' }[state]
  return (
    <Tooltip label={said} disabled={withWord && state !== 'failed'} opened={state === 'failed' ? true : undefined}>
      <button
        type="button"
        className={withWord ? classes.copyWide : classes.copy}
        aria-label={said}
        onClick={(event) => {
          event.stopPropagation()
          copy(text)
        }}
      >
        {state === 'copied' ? <CheckIcon size={14} /> : <CopyIcon size={14} />}
        {withWord && <span>{state === 'copied' ? 'Copied' : 'Copy'}</span>}
        <span className="cs-hidden" role="status">
          {state === 'copied' ? 'Copied' : ''}
        </span>
      </button>
    </Tooltip>
  )
}
