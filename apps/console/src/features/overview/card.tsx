import type { ReactNode } from 'react'
import classes from './overview.module.css'

type Props = {
  readonly title: string
  readonly aside?: ReactNode
  readonly children: ReactNode
  readonly tone?: 'held'
}

export function Card({ title, aside, children, tone }: Props) {
  return (
    <section className={classes.card} aria-label={title} data-tone={tone}>
      <header className={classes.cardHead}>
        <h2>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  )
}
