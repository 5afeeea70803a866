import { Button, Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEnvironments } from '../../api/session.ts'
import { CrossIcon, PlusIcon } from '../../ui/icons.tsx'
import ui from '../../ui/ui.module.css'
import { rolesQuery } from '../roles/queries.ts'
import { isGrantable } from '../roles/words.ts'
import classes from './people.module.css'
import type { RoleGrant } from './types.ts'

type Props = {
  readonly grants: readonly RoleGrant[]
  readonly onChange: (grants: readonly RoleGrant[]) => void
  readonly fault?: string | undefined
}

const everywhere = 'everywhere'

/** Which roles somebody holds, each everywhere or in one environment. Nobody can give what they do not hold. */
export function GrantsEditor({ grants, onChange, fault }: Props) {
  const { data } = useQuery(rolesQuery)
  const environments = useEnvironments()
  const roles = data?.items.filter(({ for_people }) => for_people) ?? []
  const put = (at: number, grant: RoleGrant): void => onChange(grants.map((one, index) => (index === at ? grant : one)))
  const isBeyond = roles.some((role) => !isGrantable(role, data?.permissions ?? []))
  return (
    <fieldset className={classes.grants} aria-label="Roles">
      {grants.map((grant, at) => (
        // Two rows may be equal for a moment while one of them is chosen.
        <div key={at} className={classes.grant}>
          <Select
            aria-label={`Role ${at + 1}`}
            data={roles.map((role) => ({
              value: role.name,
              label: role.title,
              disabled: !isGrantable(role, data?.permissions ?? []),
            }))}
            value={grant.role}
            onChange={(role) => role !== null && put(at, { ...grant, role })}
          />
          <Select
            aria-label={`Where role ${at + 1} holds`}
            data={[
              { value: everywhere, label: 'everywhere' },
              ...environments.map(({ name }) => ({ value: `in ${name}`, label: `in ${name}` })),
            ]}
            value={grant.environment === null ? everywhere : `in ${grant.environment}`}
            onChange={(where) =>
              put(at, { ...grant, environment: where === null || where === everywhere ? null : where.slice(3) })
            }
          />
          {grant.rack != null && <span className={classes.quiet}>on rack {grant.rack}</span>}
          <button
            type="button"
            className={ui.iconButton}
            aria-label={`Remove role ${at + 1}`}
            disabled={grants.length === 1}
            onClick={() => onChange(grants.filter((_one, index) => index !== at))}
          >
            <CrossIcon size={14} />
          </button>
        </div>
      ))}
      {fault !== undefined && <p className={classes.fault}>{fault}</p>}
      {isBeyond && (
        <p className={classes.quiet}>Roles with a permission you do not hold everywhere cannot be given by you.</p>
      )}
      <div>
        <Button
          variant="default"
          leftSection={<PlusIcon size={14} />}
          onClick={() => onChange([...grants, { role: 'viewer', environment: null }])}
        >
          Another role
        </Button>
      </div>
    </fieldset>
  )
}
