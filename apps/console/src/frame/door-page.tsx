import { type ReactNode, useEffect } from 'react'
import classes from './door.module.css'
import { Mark } from './mark.tsx'

type Props = { readonly title: string; readonly lead?: ReactNode; readonly children: ReactNode }

/** The pages before the frame: set-up and sign-in. */
export function DoorPage({ title, lead, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Countersign`
  }, [title])
  return (
    <main className={classes.door}>
      <div className={classes.card}>
        <div className={classes.brand}>
          <Mark size={24} />
          <span>Countersign</span>
        </div>
        <h1>{title}</h1>
        {lead && <p className={classes.lead}>{lead}</p>}
        {children}
      </div>
    </main>
  )
}
