import type { ToolStatus } from '@countersign/wire'
import { FailIcon, ObserveIcon, ShieldIcon } from '../../ui/icons.tsx'
import classes from './coverage.module.css'

const states = {
  enforced: { word: 'Enforced', icon: ShieldIcon },
  observed: { word: 'Observed', icon: ObserveIcon },
  ungoverned: { word: 'No rule', icon: FailIcon },
} as const

export function ToolStatusMark({ status }: { readonly status: ToolStatus }) {
  const { word, icon: Icon } = states[status]
  return (
    <span className={classes.status} data-status={status}>
      <Icon size={14} />
      {word}
    </span>
  )
}
