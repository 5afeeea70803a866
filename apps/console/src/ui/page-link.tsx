import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useSession } from '../api/session.ts'
import { visibleTo } from '../frame/navigation.ts'

type Props = {
  readonly to: string
  readonly search?: Readonly<Record<string, string | undefined>>
  readonly className?: string
  readonly children: ReactNode
}

/** A link to another page of the console for those who may open it; its words alone for the others. */
export function PageLink({ to, search = {}, className, children }: Props) {
  const { permissions } = useSession()
  const [, first = ''] = to.split('/')
  const isReal = visibleTo(permissions).some(({ destinations }) => destinations.some((one) => one.to === `/${first}`))
  if (!isReal) return <span className={className}>{children}</span>
  return (
    <Link to={to} search={(before) => ({ environment: before.environment, ...search })} className={className}>
      {children}
    </Link>
  )
}
