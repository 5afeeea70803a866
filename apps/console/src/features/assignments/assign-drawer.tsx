import type { ExplicitAssignment } from '@countersign/wire'
import { Button, Select, TagsInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { wordsFor } from '../../api/problem.ts'
import { useCan, useEnvironments } from '../../api/session.ts'
import { Notice } from '../../ui/notice.tsx'
import { counted } from '../../ui/numbers.ts'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { tell } from '../../ui/tell.tsx'
import { rulesetsQuery } from '../rulesets/queries.ts'
import { assignAll } from './assign-all.ts'
import classes from './assignments.module.css'
import { knownAgentsQuery } from './queries.ts'

type Props = {
  readonly environment: string | undefined
  /** Those that were selected when it was opened, all of one environment. */
  readonly agents: readonly ExplicitAssignment[]
  readonly onClose: () => void
}

export function AssignDrawer({ environment, agents, onClose }: Props) {
  const client = useQueryClient()
  const environments = useEnvironments()
  const mayReadFleet = useCan('fleet:read')
  const rulesets = useQuery(rulesetsQuery)
  const [place, setPlace] = useState(agents[0]?.environment ?? environment ?? null)
  const [ids, setIds] = useState<readonly string[]>(agents.map(({ agent_id }) => agent_id))
  const [typed, setTyped] = useState('')
  const [sought] = useDebouncedValue(typed.trim(), 150)
  const [ruleset, setRuleset] = useState<string | null>(null)
  const known = useQuery({ ...knownAgentsQuery(place ?? '', sought), enabled: place !== null && mayReadFleet })
  const rows = known.data?.items ?? []
  const assign = useMutation({
    mutationFn: () => assignAll(ids.map((agent_id) => ({ agent_id, environment: place ?? '', ruleset }))),
    onSuccess: (changed) => {
      tell(
        changed === 0
          ? 'They had it already'
          : `${counted(changed, 'agent')} ${changed === 1 ? 'gets' : 'get'} ${ruleset ?? ''}`,
        changed === 0 ? '' : 'Connected ones are told at once.',
      )
      onClose()
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['assignments'] }),
  })
  const chosen = rulesets.data?.items.find(({ name }) => name === ruleset)
  const isNotLive = chosen !== undefined && place !== null && !chosen.live.some((one) => one.environment === place)
  const isProtected = environments.some(({ name, is_protected }) => name === place && is_protected)
  const canAssign = place !== null && ids.length > 0 && ids.length <= 1_000 && ruleset !== null
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (canAssign) assign.mutate()
  }
  return (
    <SideDrawer isOpen onClose={onClose} title="Give agents a ruleset by name" width={520}>
      <form className={classes.form} onSubmit={submit}>
        <Select
          label="Environment"
          placeholder="Where they run"
          data-autofocus
          data={environments.map(({ name }) => name)}
          value={place}
          onChange={(value) => {
            setPlace(value)
            setIds([])
          }}
        />
        <TagsInput
          label="Agents"
          description="Choose from those that are known, or write an id and press Enter; a list may be pasted."
          placeholder={ids.length === 0 ? 'refund-bot-7' : ''}
          data={rows.map(({ agent_id }) => agent_id)}
          limit={50}
          maxDropdownHeight={260}
          splitChars={[',', ' ', '\n', '\t']}
          disabled={place === null}
          value={[...ids]}
          onChange={setIds}
          searchValue={typed}
          onSearchChange={setTyped}
          error={ids.length > 1_000 ? 'At most 1,000 at once.' : undefined}
        />
        <Select
          label="Ruleset"
          placeholder="What they get"
          searchable
          data={(rulesets.data?.items ?? []).map(({ name }) => name)}
          value={ruleset}
          onChange={setRuleset}
        />
        {isNotLive && (
          <Notice tone="care">
            {ruleset} is not live in {place}: these agents get nothing until it is rolled out there.
          </Notice>
        )}
        {isProtected && ids.length > 0 && ruleset !== null && (
          <Notice tone="care">
            {place} is protected. {counted(ids.length, 'agent')} {ids.length === 1 ? 'changes its' : 'change their'}{' '}
            rules at once.
          </Notice>
        )}
        {assign.isError && <Notice tone="bad">{wordsFor(assign.error)}</Notice>}
        <div className={classes.acts}>
          <span className={classes.grow} />
          <Button type="submit" disabled={!canAssign} loading={assign.isPending}>
            {ids.length === 0 ? 'Assign' : `Assign ${counted(ids.length, 'agent')}`}
          </Button>
        </div>
      </form>
    </SideDrawer>
  )
}
