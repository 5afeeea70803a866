import { useMaybeSession } from '../api/session.ts'
import { colorOf } from './environments.ts'
import { ShieldIcon } from './icons.tsx'
import classes from './ui.module.css'

/** A protected environment is inked solid, so that production cannot be taken for anything else. */
export function EnvironmentTag({ name }: { readonly name: string }) {
  const known = useMaybeSession()?.environments.find((environment) => environment.name === name)
  const isProtected = known?.is_protected ?? name === 'production'
  return (
    <span className={classes.environment} data-protected={isProtected || undefined}>
      {isProtected ? (
        <ShieldIcon size={12} />
      ) : (
        <span className={classes.environmentDot} style={{ background: colorOf(known?.color ?? 'gray') }} />
      )}
      <span className={classes.cut}>{name}</span>
    </span>
  )
}
