import type { AgentDetail } from '@countersign/wire'
import { Button, Select, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import type { Page } from '../../api/types.ts'
import { tell, tellFailure } from '../../ui/tell.tsx'
import ui from '../../ui/ui.module.css'
import classes from './fleet.module.css'
import { readTags, tagWords } from './tags.ts'

type Props = { readonly agent: AgentDetail; readonly mayManage: boolean; readonly mayAssign: boolean }

/** What operators say of an agent: its ruleset, a name people know, tags that rules match. */
export function AgentForm({ agent, mayManage, mayAssign }: Props) {
  const { agent_id, environment } = agent
  const client = useQueryClient()
  const path = `/agents/${encodeURIComponent(agent_id)}`
  const [name, setName] = useState(agent.display_name ?? '')
  const [tags, setTags] = useState(tagWords(agent.tags))
  const read = readTags(tags)
  const settle = {
    onError: (error: unknown) => tellFailure(`${agent_id} was not changed`, wordsFor(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ['agents'] }),
  }
  const describe = useMutation({
    mutationFn: () =>
      api.patch(
        path,
        { display_name: name.trim() === '' ? null : name.trim(), tags: read.tags },
        { query: { environment } },
      ),
    onSuccess: () => tell(`${agent_id} was changed`),
    ...settle,
  })
  const assign = useMutation({
    mutationFn: (ruleset: string | null) => api.put('/assignments', { agent_ids: [agent_id], environment, ruleset }),
    onSuccess: (_, ruleset) =>
      tell(ruleset === null ? `${agent_id} follows the rules again` : `${agent_id} was assigned ${ruleset}`),
    ...settle,
  })
  const rulesets = useQuery({
    queryKey: ['rulesets', 'list'],
    queryFn: ({ signal }) => api.get<Page<{ readonly name: string }>>('/rulesets', { signal }),
    enabled: mayAssign,
  })
  const assigned = agent.ruleset_source === 'explicit' ? agent.ruleset : null
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (read.mistake === undefined) describe.mutate()
  }
  return (
    <>
      <section className={classes.section}>
        <h2>Assignment</h2>
        <Select
          label="Ruleset by name"
          description="Wins over rules and over what the agent asks for; a connected agent gets it at once."
          placeholder="None: follow the rules"
          data={(rulesets.data?.items ?? []).map((one) => one.name)}
          value={assigned}
          clearable
          searchable
          disabled={!mayAssign || assign.isPending}
          onChange={(ruleset) => {
            if (ruleset !== assigned) assign.mutate(ruleset)
          }}
        />
      </section>
      <form className={classes.section} onSubmit={submit}>
        <h2>Description</h2>
        <TextInput
          label="Name"
          maxLength={255}
          value={name}
          disabled={!mayManage}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label="Tags"
          description="team=billing, region=eu; they win over those the agent reports"
          value={tags}
          error={read.mistake}
          disabled={!mayManage}
          onChange={(event) => setTags(event.currentTarget.value)}
        />
        {Object.keys(agent.reported_tags).length > 0 && (
          <p className={ui.quiet}>
            It reports <code>{tagWords(agent.reported_tags)}</code>
          </p>
        )}
        {mayManage && (
          <Button type="submit" variant="default" loading={describe.isPending} disabled={read.mistake !== undefined}>
            Save
          </Button>
        )}
      </form>
    </>
  )
}
