import { Button, Select, Textarea, TextInput } from '@mantine/core'
import { type ClipboardEvent, useState } from 'react'
import { useCan, useEnvironments } from '../../api/session.ts'
import { ChevronDownIcon, ChevronRightIcon } from '../../ui/icons.tsx'
import { tell } from '../../ui/tell.tsx'
import { type CallDraft, type CallField, callIn } from './call-draft.ts'
import { PickCall } from './pick-call.tsx'
import classes from './rehearse.module.css'

type Props = {
  readonly draft: CallDraft
  readonly faults: Readonly<Partial<Record<CallField, string>>>
  readonly onChange: (change: Partial<CallDraft>) => void
}

/** The call to try: typed, pasted whole, or picked from what agents reported. */
export function CallForm({ draft, faults, onChange }: Props) {
  const environments = useEnvironments()
  const mayReadEvents = useCan('events:read')
  const [isPicking, setPicking] = useState(false)
  const [hasMore, setMore] = useState(
    () =>
      [draft.principal, draft.output, draft.attempts, draft.executions, draft.approved].some((one) => one !== '') ||
      [draft.perTool, draft.metadata, draft.variables].some((one) => one !== ''),
  )
  const paste = (event: ClipboardEvent): void => {
    const found = callIn(event.clipboardData.getData('text/plain'))
    if (!found) return
    event.preventDefault()
    onChange(found)
    tell('A whole call was pasted', 'Its tool and arguments are in their fields.', () => onChange(draft))
  }
  const field = (name: CallField) => ({
    value: draft[name],
    onChange: ({ currentTarget }: { readonly currentTarget: { readonly value: string } }) =>
      onChange({ [name]: currentTarget.value }),
    error: faults[name],
    autoComplete: 'off',
    spellCheck: false,
  })
  return (
    <section className={classes.call} aria-label="Call">
      <div className={classes.headLine}>
        <h2>Call</h2>
        {mayReadEvents && (
          <Button variant="default" onClick={() => setPicking(true)}>
            Pick a recorded call
          </Button>
        )}
      </div>
      <div className={classes.two}>
        <TextInput label="Tool" placeholder="read_file" {...field('tool')} classNames={{ input: classes.mono }} />
        <Select
          label="Environment"
          placeholder="none"
          data={environments.map(({ name }) => name)}
          value={draft.environment === '' ? null : draft.environment}
          onChange={(value) => onChange({ environment: value ?? '' })}
          clearable
        />
      </div>
      <Textarea
        label="Arguments"
        description="JSON; a whole call that is pasted here is taken apart."
        autosize
        minRows={3}
        maxRows={14}
        onPaste={paste}
        {...field('args')}
        classNames={{ input: classes.mono }}
      />
      <button
        type="button"
        className={classes.more}
        aria-expanded={hasMore}
        onClick={() => setMore((isOpen) => !isOpen)}
      >
        {hasMore ? <ChevronDownIcon size={14} /> : <ChevronRightIcon size={14} />}
        Who, what came before, surroundings, answer
      </button>
      {hasMore && (
        <>
          <Textarea
            label="On behalf of"
            description="JSON with user_id, service_id, org_id, role, ticket_ref or claims."
            placeholder={'{ "role": "operator" }'}
            autosize
            minRows={1}
            maxRows={8}
            {...field('principal')}
            classNames={{ input: classes.mono }}
          />
          <div className={classes.two}>
            <TextInput label="Attempts before" placeholder="0" inputMode="numeric" {...field('attempts')} />
            <TextInput label="Executions before" placeholder="0" inputMode="numeric" {...field('executions')} />
          </div>
          <Textarea
            label="Calls of tools before"
            description="JSON of counts, for limits on one tool."
            placeholder={'{ "send_mail": 3 }'}
            autosize
            minRows={1}
            maxRows={8}
            {...field('perTool')}
            classNames={{ input: classes.mono }}
          />
          <div className={classes.two}>
            <Textarea
              label="Metadata"
              description="JSON, for metadata.NAME."
              placeholder={'{ "channel": "chat" }'}
              autosize
              minRows={1}
              maxRows={8}
              {...field('metadata')}
              classNames={{ input: classes.mono }}
            />
            <Textarea
              label="Variables of the agent"
              description="JSON of texts, for env.NAME."
              placeholder={'{ "REGION": "eu" }'}
              autosize
              minRows={1}
              maxRows={8}
              {...field('variables')}
              classNames={{ input: classes.mono }}
            />
          </div>
          <TextInput
            label="Approved already"
            description="Ids of rules a person has said yes to."
            placeholder="large-refund"
            {...field('approved')}
            classNames={{ input: classes.mono }}
          />
          <Textarea
            label="What the tool answered"
            description="JSON; given, rules about results are tried too."
            placeholder={'"card 4111111111111111"'}
            autosize
            minRows={1}
            maxRows={8}
            {...field('output')}
            classNames={{ input: classes.mono }}
          />
        </>
      )}
      {isPicking && (
        <PickCall
          onClose={() => setPicking(false)}
          onPick={(picked) => {
            onChange(picked)
            setPicking(false)
          }}
        />
      )}
    </section>
  )
}
