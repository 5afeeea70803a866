import type { RulesetSummary } from '@countersign/wire'
import { Button, Menu } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useCanIn, useEnvironments } from '../../api/session.ts'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Instant } from '../../ui/instant.tsx'
import { RollBack } from './roll-back.tsx'
import { RolloutBar } from './rollout-bar.tsx'
import { rolloutQuery } from './rollout-queries.ts'
import classes from './rollouts.module.css'

type Props = {
  readonly ruleset: RulesetSummary
  readonly environment: string
  readonly onReview: (version: number, environment: string) => void
  readonly onOpen: (rolloutId: string) => void
}

/** One environment: what is live there, how far its agents came, and what can be done about it. */
export function LivePlace({ ruleset, environment, onReview, onOpen }: Props) {
  const { name, latest, live } = ruleset
  const here = live.find((one) => one.environment === environment)
  const mayRollOut = useCanIn('rollouts:write', environment)
  const others = useEnvironments().filter(
    (other) =>
      other.name !== environment && live.find((one) => one.environment === other.name)?.version !== here?.version,
  )
  const { data } = useQuery({ ...rolloutQuery(here?.rollout_id ?? ''), enabled: here !== undefined })
  const [isRollingBack, setRollingBack] = useState(false)
  const previous = data?.previous_version ?? null
  const canRollBack = here !== undefined && previous !== null && previous < here.version
  return (
    <li className={classes.place}>
      <div className={classes.where}>
        <EnvironmentTag name={environment} />
        {here ? (
          <>
            <button type="button" className={classes.version} onClick={() => onOpen(here.rollout_id)}>
              v{here.version}
            </button>
            <span className={classes.quiet}>
              <Instant at={here.rolled_out_at} /> by {here.rolled_out_by.label}
            </span>
          </>
        ) : (
          <span className={classes.quiet}>nothing of {name} is live here</span>
        )}
      </div>
      <div>{data && <RolloutBar counts={data.counts} />}</div>
      {mayRollOut && (
        <div className={classes.acts}>
          {here && others.length > 0 && (
            <Menu>
              <Menu.Target>
                <Button variant="default" aria-label={`Promote v${here.version} from ${environment}`}>
                  Promote
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Label>v{here.version} to</Menu.Label>
                {others.map((other) => (
                  <Menu.Item key={other.name} onClick={() => onReview(here.version, other.name)}>
                    {other.name}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
          )}
          {canRollBack && (
            <Button
              variant="default"
              aria-label={`Roll back to v${previous} in ${environment}`}
              onClick={() => setRollingBack(true)}
            >
              Roll back to v{previous}
            </Button>
          )}
          {here?.version !== latest.version && (
            <Button
              variant="default"
              aria-label={`Roll out v${latest.version} to ${environment}`}
              onClick={() => onReview(latest.version, environment)}
            >
              Roll out v{latest.version}
            </Button>
          )}
        </div>
      )}
      {isRollingBack && canRollBack && (
        <RollBack
          name={name}
          environment={environment}
          from={here.version}
          to={previous}
          onClose={() => setRollingBack(false)}
          onDone={onOpen}
        />
      )}
    </li>
  )
}
