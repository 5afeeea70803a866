import type { PrincipalRef } from '../api/types.ts'
import { AgentIcon, KeysIcon, PersonIcon, SystemIcon, UnknownIcon } from './icons.tsx'
import classes from './ui.module.css'

const icons = {
  person: PersonIcon,
  api_token: KeysIcon,
  agent: AgentIcon,
  agent_key: KeysIcon,
  system: SystemIcon,
  anyone: UnknownIcon,
} as const
const kinds = {
  person: 'person',
  api_token: 'API token',
  agent: 'agent',
  agent_key: 'key',
  system: 'system',
  anyone: 'somebody unknown',
} as const

type Props = { readonly who: PrincipalRef; readonly href?: string }

export function PrincipalChip({ who, href }: Props) {
  const Icon = icons[who.kind]
  const content = (
    <>
      <Icon size={14} />
      <span className="cs-hidden">{kinds[who.kind]}</span>
      <span className={who.kind === 'agent' || who.kind === 'agent_key' ? classes.cutMono : classes.cut}>
        {who.label}
      </span>
    </>
  )
  if (href === undefined) return <span className={classes.principal}>{content}</span>
  return (
    <a className={classes.principal} href={href}>
      {content}
    </a>
  )
}
