import { Button } from '@mantine/core'
import { Instant } from '../../ui/instant.tsx'
import { ShownOnce } from '../../ui/shown-once.tsx'
import classes from './people.module.css'
import type { Invitation } from './types.ts'

type Props = { readonly invitation: Invitation; readonly who: string; readonly onDone: () => void }

/** A link that makes whoever has it that person: shown once, handed over in confidence. */
export function LinkOnce({ invitation: { link, expires_at }, who, onDone }: Props) {
  return (
    <div className={classes.form}>
      <p className={classes.lead}>
        Give this link to {who} in confidence: whoever opens it becomes them. It is shown once, works once, and ends{' '}
        <Instant at={expires_at} form="exact" />.
      </p>
      <ShownOnce text={link} what="the link" />
      <div className={classes.acts}>
        <Button onClick={onDone}>I have copied it</Button>
      </div>
    </div>
  )
}
