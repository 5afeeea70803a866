import type { AssignmentRule } from '@countersign/wire'
import { Button, NumberInput, Select, TagsInput, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { fieldErrors, wordsFor } from '../../api/problem.ts'
import { useCan, useCanIn, useEnvironments, useEnvironmentsFor } from '../../api/session.ts'
import { Notice } from '../../ui/notice.tsx'
import { counted } from '../../ui/numbers.ts'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { tell } from '../../ui/tell.tsx'
import { rulesetsQuery } from '../rulesets/queries.ts'
import classes from './assignments.module.css'
import { DeleteRule } from './delete-rule.tsx'
import { PreviewChanges } from './preview-changes.tsx'
import { previewQuery, type RuleDraft } from './queries.ts'
import { faultOfTags, readTags, writeTags } from './tags.ts'

type Props = {
  /** Undefined for one that is being made. */
  readonly rule: AssignmentRule | undefined
  readonly others: readonly AssignmentRule[]
  readonly environment: string | undefined
  readonly onClose: () => void
}

/** A rule and, beside it, whom it would move, before anything is saved. */
export function RuleDrawer({ rule, others, environment, onClose }: Props) {
  const client = useQueryClient()
  const mayWriteSomewhere = useCan('assignments:write')
  const mayWriteThere = useCanIn('assignments:write', rule?.environment ?? '')
  const mayWrite = rule ? mayWriteThere : mayWriteSomewhere
  const environments = useEnvironments()
  const open = useEnvironmentsFor('assignments:write')
  const rulesets = useQuery(rulesetsQuery)
  const [priority, setPriority] = useState(rule?.priority ?? nextPriority(others))
  const [pattern, setPattern] = useState(rule?.pattern ?? '')
  const [tags, setTags] = useState(writeTags(rule?.tag_match ?? null))
  const [place, setPlace] = useState(rule?.environment ?? environment ?? null)
  const [ruleset, setRuleset] = useState(rule?.ruleset ?? null)
  const [isDeleting, setDeleting] = useState(false)
  const tagFault = faultOfTags(tags)
  const draft: RuleDraft | undefined =
    pattern.trim() === '' || place === null || ruleset === null || tagFault !== undefined
      ? undefined
      : { priority, pattern: pattern.trim(), tag_match: readTags(tags), environment: place, ruleset }
  const written = draft && JSON.stringify(draft)
  const isSame = rule !== undefined && written === JSON.stringify(draftOf(rule))
  const [settled] = useDebouncedValue(draft, 250)
  const isSettled = written === (settled && JSON.stringify(settled))
  const preview = useQuery({
    ...previewQuery(rule?.id, settled),
    enabled: settled !== undefined && !isSame,
    placeholderData: keepPreviousData,
  })
  const isPreviewed = isSettled && preview.isSuccess && !preview.isPlaceholderData
  const save = useMutation({
    mutationFn: () =>
      rule
        ? api.patch<AssignmentRule>(`/assignment-rules/${rule.id}`, draft)
        : api.post<AssignmentRule>('/assignment-rules', draft),
    onSuccess: (saved) => {
      const changed = preview.data?.changed_count ?? 0
      tell(
        rule ? `The rule ${saved.pattern} was changed` : `The rule ${saved.pattern} was added`,
        changed === 0
          ? 'No agent changes its ruleset.'
          : `${counted(changed, 'agent')} ${changed === 1 ? 'is' : 'are'} told at once.`,
      )
      onClose()
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['assignments'] }),
  })
  const faults = fieldErrors(save.error ?? preview.error)
  const faultOf = (field: string): string | undefined => faults[field] ?? faults[`rule.${field}`]
  const chosen = rulesets.data?.items.find(({ name }) => name === ruleset)
  const isNotLive = chosen !== undefined && place !== null && !chosen.live.some((one) => one.environment === place)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (draft && isPreviewed && !isSame) save.mutate()
  }
  return (
    <SideDrawer isOpen onClose={onClose} title={rule ? `Rule ${rule.pattern}` : 'Add a rule'} width={520}>
      <form className={classes.form} onSubmit={submit}>
        <fieldset className={classes.fields} disabled={!mayWrite}>
          <legend className="cs-hidden">The rule</legend>
          <TextInput
            label="Agents"
            description="Their id: * stands for anything, ? for one character, [ab] for either."
            placeholder="build-*"
            maxLength={200}
            spellCheck={false}
            autoComplete="off"
            data-autofocus
            classNames={{ input: classes.mono }}
            value={pattern}
            onChange={(event) => setPattern(event.currentTarget.value)}
            error={faultOf('pattern')}
          />
          <TagsInput
            label="With tags"
            description="All of them, each as name=value; Enter adds one. None: any agent."
            placeholder={tags.length === 0 ? 'team=billing' : ''}
            splitChars={[]}
            value={[...tags]}
            onChange={setTags}
            error={tagFault ?? faultOf('tag_match')}
          />
          <Select
            label="Environment"
            placeholder="Where they run"
            data={(mayWrite ? open : environments).map(({ name }) => name)}
            value={place}
            onChange={setPlace}
            error={faultOf('environment')}
          />
          <Select
            label="Ruleset"
            placeholder="What they get"
            searchable
            data={[
              ...new Set([
                ...(ruleset === null ? [] : [ruleset]),
                ...(rulesets.data?.items ?? []).map(({ name }) => name),
              ]),
            ]}
            value={ruleset}
            onChange={setRuleset}
            error={faultOf('ruleset')}
          />
          <NumberInput
            label="Priority"
            description="The lowest that matches decides."
            min={0}
            max={2_147_483_647}
            allowDecimal={false}
            value={priority}
            onChange={(value) => setPriority(typeof value === 'number' ? value : Number.parseInt(value, 10) || 0)}
            error={faultOf('priority')}
          />
        </fieldset>
        {isNotLive && (
          <Notice tone="care">
            {ruleset} is not live in {place}: agents that get it there get nothing until it is rolled out.
          </Notice>
        )}
        {draft === undefined || isSame ? (
          <p className={classes.quiet}>
            {isSame
              ? 'As it is saved.'
              : 'With agents, environment and ruleset filled in, those it would move are shown here.'}
          </p>
        ) : (
          <PreviewChanges
            preview={preview.data}
            isCurrent={isPreviewed}
            error={preview.error}
            isProtected={environments.some(({ name, is_protected }) => name === place && is_protected)}
          />
        )}
        {save.isError && <Notice tone="bad">{wordsFor(save.error)}</Notice>}
        {mayWrite && (
          <div className={classes.acts}>
            {rule && (
              <Button variant="default" className={classes.sharp} onClick={() => setDeleting(true)}>
                Delete
              </Button>
            )}
            <span className={classes.grow} />
            <Button type="submit" disabled={!draft || !isPreviewed || isSame} loading={save.isPending}>
              {rule ? 'Save the rule' : 'Add the rule'}
            </Button>
          </div>
        )}
      </form>
      {rule && isDeleting && <DeleteRule rule={rule} onClose={() => setDeleting(false)} onDone={onClose} />}
    </SideDrawer>
  )
}

function draftOf({ priority, pattern, tag_match, environment, ruleset }: AssignmentRule): RuleDraft {
  return { priority, pattern, tag_match, environment, ruleset }
}

/** Steps of ten leave room between two rules. */
function nextPriority(rules: readonly AssignmentRule[]): number {
  const highest = Math.max(0, ...rules.map(({ priority }) => priority))
  return Math.min(2_147_483_647, (Math.floor(highest / 10) + 1) * 10)
}
