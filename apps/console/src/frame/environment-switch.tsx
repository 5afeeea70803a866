import { Menu, UnstyledButton } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useEnvironments } from '../api/session.ts'
import type { SessionEnvironment } from '../api/types.ts'
import { colorOf } from '../ui/environments.ts'
import { CheckIcon, ChevronDownIcon, GlobeIcon, ShieldIcon } from '../ui/icons.tsx'
import { useEnvironment } from './environment.ts'
import classes from './frame.module.css'

/** Narrows every page to one environment. The choice is in the address, so a link carries it. */
export function EnvironmentSwitch() {
  const environments = useEnvironments().toSorted((one, other) => one.position - other.position)
  const chosen = useEnvironment()
  const navigate = useNavigate()
  const current = environments.find(({ name }) => name === chosen)
  const choose = (environment: string | undefined): void => {
    void navigate({ to: '.', search: (before) => ({ ...before, environment }) })
  }
  return (
    <Menu width={220}>
      <Menu.Target>
        <UnstyledButton className={classes.environment} data-protected={current?.is_protected || undefined}>
          <EnvironmentMark environment={current} />
          <span className="cs-hidden">Environment:</span>
          <span className={classes.environmentWord}>{chosen ?? 'All environments'}</span>
          <ChevronDownIcon size={12} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Show</Menu.Label>
        <Menu.Item
          leftSection={<GlobeIcon size={14} />}
          rightSection={chosen === undefined && <CheckIcon size={14} />}
          onClick={() => choose(undefined)}
        >
          All environments
        </Menu.Item>
        {environments.map((environment) => (
          <Menu.Item
            key={environment.name}
            leftSection={<EnvironmentMark environment={environment} />}
            rightSection={environment.name === chosen && <CheckIcon size={14} />}
            onClick={() => choose(environment.name)}
          >
            {environment.name}
            {environment.is_protected && <span className={classes.protectedWord}>protected</span>}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function EnvironmentMark({ environment }: { readonly environment: SessionEnvironment | undefined }) {
  if (!environment) return <GlobeIcon size={14} />
  if (environment.is_protected) return <ShieldIcon size={14} />
  return <span className={classes.swatch} style={{ background: colorOf(environment.color) }} />
}
