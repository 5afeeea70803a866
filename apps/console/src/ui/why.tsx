import type { ReactNode } from 'react'
import { CheckIcon, CrossIcon, UnknownIcon } from './icons.tsx'
import classes from './why.module.css'

/** One step of an explanation: what was asked, whether it held, and what it stood on. */
export type Reason = {
  readonly id: string
  readonly words: ReactNode
  /** Undefined where a step only groups others or was not reached. */
  readonly holds?: boolean
  /** What was found there, as it was compared. */
  readonly found?: string
  readonly reasons?: readonly Reason[]
}

type Props = {
  readonly reasons: readonly Reason[]
  /** How it is known: agents do not always say it. */
  readonly source?: string
}

/** Why a decision came out as it did, as a tree that can be read from the top. */
export function Why({ reasons, source }: Props) {
  return (
    <div>
      {source && <p className={classes.source}>{source}</p>}
      <Steps reasons={reasons} />
    </div>
  )
}

function Steps({ reasons }: { readonly reasons: readonly Reason[] }) {
  return (
    <ul className={classes.steps}>
      {reasons.map(({ id, words, holds, found, reasons: inner = [] }) => (
        <li key={id}>
          <div className={classes.step}>
            <Mark holds={holds} />
            <span>{words}</span>
            {found !== undefined && <code className={classes.found}>{found}</code>}
          </div>
          {inner.length > 0 && <Steps reasons={inner} />}
        </li>
      ))}
    </ul>
  )
}

function Mark({ holds }: { readonly holds: boolean | undefined }) {
  if (holds === undefined) return <UnknownIcon size={14} className={classes.open} />
  return (
    <>
      {holds ? <CheckIcon size={14} className={classes.holds} /> : <CrossIcon size={14} className={classes.fails} />}
      <span className="cs-hidden">{holds ? 'holds:' : 'does not hold:'}</span>
    </>
  )
}
