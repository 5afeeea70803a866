import {
  AllowIcon,
  BlockIcon,
  ClockIcon,
  CrossIcon,
  FailIcon,
  HoldIcon,
  ObserveIcon,
  RehearseIcon,
  UnknownIcon,
} from './icons.tsx'
import classes from './ui.module.css'
import { toneOf, type Verdict, verdictWords } from './verdicts.ts'

const icons = {
  allowed: AllowIcon,
  approved: AllowIcon,
  blocked: BlockIcon,
  denied: BlockIcon,
  held: HoldIcon,
  'would-block': ObserveIcon,
  failed: FailIcon,
  'timed-out': ClockIcon,
  cancelled: CrossIcon,
  running: RehearseIcon,
  unknown: UnknownIcon,
} as const

type Props = { readonly verdict: Verdict; readonly word?: string }

/** Colour, icon and word together: none of them has to be seen for the other two to be understood. */
export function VerdictBadge({ verdict, word = verdictWords[verdict] }: Props) {
  const Icon = icons[verdict]
  return (
    <span className={classes.verdict} data-tone={toneOf(verdict)}>
      <Icon size={13} />
      {word}
    </span>
  )
}
