import type { RolloutPreview, RolloutTrial } from '@countersign/wire'
import { Button, SegmentedControl, Textarea, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { wordsFor } from '../../api/problem.ts'
import { useCan, useCanIn } from '../../api/session.ts'
import { ShieldIcon } from '../../ui/icons.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Notice } from '../../ui/notice.tsx'
import { counted } from '../../ui/numbers.ts'
import { PageLink } from '../../ui/page-link.tsx'
import { LastReplay } from './last-replay.tsx'
import { ObserveFirst } from './observe-first.tsx'
import { StateMark } from './rollout-bar.tsx'
import classes from './rollouts.module.css'

type Props = {
  readonly preview: RolloutPreview
  readonly isBusy: boolean
  readonly error: unknown
  readonly onConfirm: (note: string) => void
  readonly onObserved: (trial: RolloutTrial) => void
}

const verbs = { rollout: 'Roll out', promotion: 'Promote', rollback: 'Roll back to' } as const

/** Whom it reaches, and the choice between taking effect at once and watching first. */
export function ConfirmRollout({ onObserved, ...props }: Props) {
  const { preview } = props
  const { environment, version, kind, current } = preview
  const [how, setHow] = useState<'now' | 'observe'>('now')
  const isLive = current?.version === version
  const mayRollOut = useCanIn('rollouts:write', environment)
  return (
    <div className={classes.confirm}>
      <Reach preview={preview} />
      {isLive ? (
        <Notice tone="plain">
          v{version} is live in {environment} already. Choose another version or another environment.
        </Notice>
      ) : !mayRollOut ? (
        <Notice tone="plain">
          None of your roles lets you roll out in {environment}. Somebody who may can open this address and confirm it.
        </Notice>
      ) : (
        <>
          {kind !== 'rollback' && (
            <SegmentedControl
              aria-label="How it takes effect"
              fullWidth
              value={how}
              onChange={(value) => setHow(value === 'observe' ? 'observe' : 'now')}
              data={[
                { value: 'now', label: 'At once' },
                { value: 'observe', label: 'Observe first' },
              ]}
            />
          )}
          {how === 'observe' && kind !== 'rollback' ? (
            <ObserveFirst preview={preview} onStarted={onObserved} />
          ) : (
            <AtOnce {...props} />
          )}
        </>
      )}
    </div>
  )
}

function Reach({ preview }: Pick<Props, 'preview'>) {
  const { environment, is_protected, current, agents, agent_count, connected_count, baselines } = preview
  const mayReadEvents = useCan('events:read')
  return (
    <>
      {is_protected && (
        <div className={classes.protected}>
          <ShieldIcon size={16} />
          <div>
            <strong>{environment}</strong> is protected.{' '}
            {connected_count === 0
              ? 'No agent is connected there now.'
              : `${counted(connected_count, 'connected agent')} there ${connected_count === 1 ? 'changes its' : 'change their'} rules at once.`}
          </div>
        </div>
      )}
      <section aria-label="Whom it reaches">
        <h3>Reaches {agent_count === 0 ? 'no agent yet' : counted(agent_count, 'agent')}</h3>
        <p className={classes.quiet}>
          {agent_count === 0
            ? 'None was seen there that follows this ruleset. The next one that asks gets it.'
            : connected_count === agent_count
              ? 'All are connected and get it at once.'
              : `${connected_count} connected and told at once; the others get it when they return.`}
        </p>
        {agents.length > 0 && (
          <ul className={classes.reached}>
            {agents.map(({ agent_id, is_connected, is_running_it }) => (
              <li key={agent_id}>
                <StateMark state={is_connected ? 'running' : 'offline'} />
                <PageLink to={`/fleet/${environment}/${agent_id}`} className={classes.agent}>
                  {agent_id}
                </PageLink>
                <span className={classes.quiet}>
                  {is_running_it ? 'runs it already' : is_connected ? 'connected' : 'offline'}
                </span>
              </li>
            ))}
          </ul>
        )}
        {agent_count > agents.length && <p className={classes.quiet}>and {agent_count - agents.length} more</p>}
      </section>
      {mayReadEvents && <LastReplay preview={preview} />}
      <p className={classes.quiet}>
        {current ? (
          <>
            Live there now: v{current.version}, rolled out <Instant at={current.rolled_out_at} />.
          </>
        ) : (
          'Nothing of it is live there now.'
        )}{' '}
        Signed by {counted(preview.signing_key_count, 'key')}.
      </p>
      {baselines.length > 0 && (
        <p className={classes.quiet}>
          With the {baselines.length === 1 ? 'baseline' : 'baselines'} of {environment} in front:{' '}
          {baselines.map(({ ruleset, version }) => `${ruleset} v${version}`).join(', ')}.
        </p>
      )}
    </>
  )
}

/** The press that does it. A protected environment must be typed: no hand does that by habit. */
function AtOnce({ preview, isBusy, error, onConfirm }: Omit<Props, 'onObserved'>) {
  const { environment, version, kind, is_protected } = preview
  const [note, setNote] = useState('')
  const [typed, setTyped] = useState('')
  const canConfirm = !is_protected || typed === environment
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (canConfirm) onConfirm(note.trim())
  }
  return (
    <form className={classes.fields} aria-label="Confirm the rollout" onSubmit={submit}>
      <Textarea
        label={kind === 'rollback' ? 'Reason' : 'Note'}
        description="Why, for the history and the trail."
        maxLength={2000}
        autosize
        minRows={2}
        maxRows={6}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      {is_protected && (
        <TextInput
          label={
            <>
              Type <code>{environment}</code> to confirm
            </>
          }
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      )}
      {error !== null && <Notice tone="bad">{wordsFor(error)}</Notice>}
      <Button type="submit" fullWidth disabled={!canConfirm} loading={isBusy}>
        {verbs[kind]} v{version} {kind === 'rollback' ? 'in' : 'to'} {environment}
      </Button>
    </form>
  )
}
