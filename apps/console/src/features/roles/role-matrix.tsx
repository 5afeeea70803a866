import { Fragment } from 'react'
import { CheckIcon, ShieldIcon } from '../../ui/icons.tsx'
import classes from './roles.module.css'
import type { RoleList } from './types.ts'
import { grouped, reachWords } from './words.ts'

type Props = { readonly list: RoleList; readonly onOpen: (name: string) => void }

export function RoleMatrix({ list: { items, permissions }, onOpen }: Props) {
  const sets = items.map((role) => ({ role, held: new Set(role.permissions) }))
  return (
    // It scrolls by itself, also for those who have no mouse.
    <section className={classes.scroller} aria-label="Permissions by role" tabIndex={0}>
      <table className={classes.matrix}>
        <thead>
          <tr>
            <th scope="col" className={classes.corner}>
              Permission
            </th>
            {items.map(({ name, title, is_built_in }) => (
              <th key={name} scope="col">
                <button type="button" onClick={() => onOpen(name)}>
                  {title}
                </button>
                <span className={classes.kind}>{is_built_in ? 'built in' : 'your own'}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {grouped(permissions).map((group) => (
            <Fragment key={group.word}>
              <tr className={classes.group}>
                <th scope="rowgroup" colSpan={items.length + 1}>
                  {group.word}
                </th>
              </tr>
              {group.permissions.map((permission) => (
                <tr key={permission.name}>
                  <th scope="row" title={`${permission.name}: ${reachWords(permission)}`}>
                    {permission.does}
                  </th>
                  {sets.map(({ role, held }) => (
                    <td key={role.name} data-held={held.has(permission.name) || undefined}>
                      {held.has(permission.name) ? (
                        <>
                          <CheckIcon size={14} />
                          <span className="cs-hidden">yes</span>
                          {permission.is_guarded && !held.has('protected:write') && (
                            <span className={classes.limited} title="not in protected environments">
                              <ShieldIcon size={12} />
                              <span className="cs-hidden">, not in protected environments</span>
                            </span>
                          )}
                        </>
                      ) : (
                        <span className="cs-hidden">no</span>
                      )}
                    </td>
                  ))}
                </tr>
              ))}
            </Fragment>
          ))}
        </tbody>
      </table>
    </section>
  )
}
