import type { Replay } from '@countersign/wire'
import { Button, Select, TagsInput } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { serverNow } from '../../api/server-time.ts'
import { useCan, useEnvironments } from '../../api/session.ts'
import { Notice } from '../../ui/notice.tsx'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { useDraft } from '../rulesets/drafts.ts'
import { revisionsQuery, rulesetsQuery } from '../rulesets/queries.ts'
import classes from './rehearse.module.css'
import { followersQuery } from './replay-queries.ts'

const hour = 3_600_000
const ranges = [
  { value: String(hour), label: 'The last hour' },
  { value: String(24 * hour), label: 'The last 24 hours' },
  { value: String(7 * 24 * hour), label: 'The last 7 days' },
  { value: String(30 * 24 * hour), label: 'The last 30 days' },
]

/** Stands for the text in the editor, which has no version. */
const unsaved = 'draft'
const recorded = 'recorded'

type Props = {
  readonly ruleset: string | undefined
  readonly version: number | undefined
  readonly environment: string | undefined
  readonly onClose: () => void
  readonly onStarted: (replay: Replay) => void
}

/** Which text is held against which recorded calls. */
export function StartReplay({ ruleset: first, version: firstVersion, environment, onClose, onStarted }: Props) {
  const client = useQueryClient()
  const environments = useEnvironments()
  const rulesets = useQuery(rulesetsQuery)
  const [ruleset, setRuleset] = useState(first ?? null)
  const [draft] = useDraft(ruleset ?? 'none chosen')
  const revisions = useInfiniteQuery({ ...revisionsQuery(ruleset ?? ''), enabled: ruleset !== null })
  const versions = (revisions.data?.pages.flatMap(({ items }) => items) ?? []).map(({ version }) => String(version))
  const [chosen, setChosen] = useState(firstVersion === undefined ? undefined : String(firstVersion))
  const what = chosen ?? (draft ? unsaved : versions[0])
  const [against, setAgainst] = useState(recorded)
  const [range, setRange] = useState(String(24 * hour))
  const [place, setPlace] = useState(environment ?? null)
  const mayReadFleet = useCan('fleet:read')
  const followers = useQuery({ ...followersQuery(ruleset ?? '', place), enabled: ruleset !== null && mayReadFleet })
  const [chosenAgents, setAgents] = useState<string[]>()
  // Whoever does not follow this ruleset would be judged by rules it never gets.
  const agents = chosenAgents ?? [...(followers.data ?? [])]
  const [tools, setTools] = useState<string[]>([])
  const start = useMutation({
    mutationFn: () =>
      api.post<Replay>('/replays', {
        ...(what === unsaved ? { yaml: draft?.text ?? '' } : { ruleset, version: Number(what) }),
        ...(against !== recorded && { baseline: { ruleset, version: Number(against) } }),
        since: new Date(serverNow() - Number(range)).toISOString(),
        ...(place !== null && { environment: place }),
        ...(agents.length > 0 && { agents }),
        ...(tools.length > 0 && { tools }),
      }),
    onSuccess: async (replay) => {
      await client.invalidateQueries({ queryKey: ['replays'] })
      onStarted(replay)
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    start.mutate()
  }
  return (
    <SideDrawer isOpen onClose={onClose} title="Replay recorded calls" width={520}>
      <form className={classes.form} onSubmit={submit}>
        <p className={classes.lead}>
          Every recorded call of the range is judged by this text. Nothing is carried out, and no agent notices.
        </p>
        <Select
          label="Ruleset"
          placeholder="Whose text"
          data-autofocus
          searchable
          data={(rulesets.data?.items ?? []).map(({ name }) => name)}
          value={ruleset}
          onChange={(value) => {
            setRuleset(value)
            setChosen(undefined)
            setAgainst(recorded)
            setAgents(undefined)
          }}
        />
        <div className={classes.two}>
          <Select
            label="Text"
            data={[
              ...(draft ? [{ value: unsaved, label: 'As changed, not saved' }] : []),
              ...versions.map((one) => ({ value: one, label: `v${one}` })),
            ]}
            value={what ?? null}
            onChange={(value) => setChosen(value ?? undefined)}
            disabled={ruleset === null}
          />
          <Select
            label="Compared with"
            data={[
              { value: recorded, label: 'What was recorded' },
              ...versions.filter((one) => one !== what).map((one) => ({ value: one, label: `v${one}` })),
            ]}
            value={against}
            onChange={(value) => setAgainst(value ?? recorded)}
            disabled={ruleset === null}
          />
        </div>
        <div className={classes.two}>
          <Select
            label="Calls of"
            data={ranges}
            value={range}
            onChange={(value) => value !== null && setRange(value)}
          />
          <Select
            label="Environment"
            placeholder="All"
            data={environments.map(({ name }) => name)}
            value={place}
            onChange={setPlace}
            clearable
          />
        </div>
        <TagsInput
          label="Agents"
          description="Those that follow it, unless told otherwise: ids, or patterns such as build-*. None: all of them."
          value={agents}
          onChange={setAgents}
          splitChars={[',', ' ']}
          maxTags={50}
        />
        <TagsInput
          label="Tools"
          description="Names, or patterns such as kubectl_*; none: all of them."
          value={tools}
          onChange={setTools}
          splitChars={[',', ' ']}
          maxTags={50}
        />
        {start.isError && <Notice tone="bad">{wordsFor(start.error)}</Notice>}
        <div className={classes.formActs}>
          <Button type="submit" disabled={ruleset === null || what === undefined} loading={start.isPending}>
            Start the replay
          </Button>
        </div>
      </form>
    </SideDrawer>
  )
}
