import classes from './fleet.module.css'
import { DriftIcon, OkIcon, SilentIcon, UnknownIcon, UpdatingIcon } from './status-icons.tsx'
import { type AgentStatus, statusWords } from './words.ts'

const icons = {
  current: OkIcon,
  updating: UpdatingIcon,
  drifting: DriftIcon,
  silent: SilentIcon,
  unknown: UnknownIcon,
} as const

export function StatusBadge({ status }: { readonly status: AgentStatus }) {
  const Icon = icons[status]
  return (
    <span className={classes.status} data-status={status} title={statusWords[status].help}>
      <Icon size={13} />
      {statusWords[status].word}
    </span>
  )
}
