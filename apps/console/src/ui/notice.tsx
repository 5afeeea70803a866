import type { ReactNode } from 'react'
import { CheckIcon, ClockIcon, FailIcon } from './icons.tsx'
import classes from './notice.module.css'

type Props = { readonly tone: 'good' | 'bad' | 'care' | 'plain'; readonly title?: string; readonly children: ReactNode }

const icons = { good: CheckIcon, bad: FailIcon, care: FailIcon, plain: ClockIcon } as const

/** A sentence that belongs to what stands below it. */
export function Notice({ tone, title, children }: Props) {
  const Icon = icons[tone]
  return (
    <div className={classes.notice} data-tone={tone} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon size={16} />
      <div>
        {title && <strong>{title}</strong>}
        <div>{children}</div>
      </div>
    </div>
  )
}
