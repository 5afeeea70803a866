import { Button, NumberInput, Select, Switch, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useCan } from '../../api/session.ts'
import type { ApprovalPolicy } from '../../api/types.ts'
import { CrossIcon } from '../../ui/icons.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { Notice } from '../../ui/notice.tsx'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { tell } from '../../ui/tell.tsx'
import classes from './policies.module.css'
import { policiesQuery } from './queries.ts'

type Props = { readonly environment: string; readonly onClose: () => void }

const proofs = [
  { value: 'session', label: 'Being signed in' },
  { value: 'step-up', label: 'A fresh proof: factor or password' },
  { value: 'countersignature', label: 'A countersignature with a passkey' },
] as const

/** What decisions of an environment need: in general, and more for single rules. */
export function PoliciesDrawer({ environment, onClose }: Props) {
  const { data, error, isError, refetch } = useQuery(policiesQuery(environment))
  return (
    <SideDrawer isOpen onClose={onClose} title={`Decisions in ${environment}`} width={560}>
      {isError && !data && (
        <Failed what="The policies could not be read" error={error} onRetry={() => void refetch()} />
      )}
      {!data && !isError && <Loading rows={4} />}
      {data && <Body environment={environment} kept={data.policies} onClose={onClose} />}
    </SideDrawer>
  )
}

function Body({ environment, kept, onClose }: Props & { readonly kept: readonly ApprovalPolicy[] }) {
  const client = useQueryClient()
  const mayWrite = useCan('settings:write')
  const [draft, setDraft] = useState(kept)
  const save = useMutation({
    mutationFn: () =>
      api.put<{ readonly policies: readonly ApprovalPolicy[] }>(
        `/environments/${encodeURIComponent(environment)}/approval-policies`,
        {
          policies: draft,
        },
      ),
    onSuccess: (saved) => {
      client.setQueryData(policiesQuery(environment).queryKey, saved)
      tell(`The policy of ${environment} holds`, 'Calls that are held already keep the policy they were held under.')
      onClose()
    },
  })
  const change = (at: number, part: Partial<ApprovalPolicy>): void =>
    setDraft(draft.map((one, index) => (index === at ? { ...one, ...part } : one)))
  return (
    <div className={classes.stack}>
      <p className={classes.lead}>
        Held calls are decided under what stands here. A rule’s own policy makes the environment’s stricter, never
        softer.
      </p>
      {draft.map((policy, at) => (
        <fieldset key={at} className={classes.policy} disabled={!mayWrite}>
          <legend>{policy.rule === null ? 'Every rule' : `Rule ${policy.rule || '…'}`}</legend>
          {policy.rule !== null && (
            <div className={classes.rule}>
              <TextInput
                label="Id of the rule"
                maxLength={200}
                value={policy.rule}
                onChange={(event) => change(at, { rule: event.currentTarget.value })}
              />
              <Button
                variant="default"
                aria-label={`Remove the policy of ${policy.rule || 'this rule'}`}
                onClick={() => setDraft(draft.filter((_, index) => index !== at))}
              >
                <CrossIcon size={14} />
              </Button>
            </div>
          )}
          <Select
            label="A decision needs"
            data={[...proofs]}
            value={policy.proof}
            disabled={!mayWrite}
            onChange={(value) => change(at, { proof: proofs.find((one) => one.value === value)?.value ?? 'session' })}
          />
          <NumberInput
            label="How many must approve"
            description="One who denies is enough."
            min={1}
            max={10}
            allowDecimal={false}
            clampBehavior="strict"
            value={policy.approvers}
            disabled={!mayWrite}
            onChange={(value) => change(at, { approvers: Number(value) || 1 })}
          />
          <Switch
            label="Whoever made the agent’s key never approves"
            description="Otherwise they may only while nobody else could, and the record says so."
            checked={policy.excludes_owner}
            disabled={!mayWrite}
            onChange={(event) => change(at, { excludes_owner: event.currentTarget.checked })}
          />
        </fieldset>
      ))}
      {save.isError && <Notice tone="bad">{wordsFor(save.error)}</Notice>}
      {mayWrite && (
        <div className={classes.acts}>
          <Button
            variant="default"
            onClick={() =>
              setDraft([...draft, { rule: '', proof: 'countersignature', approvers: 1, excludes_owner: true }])
            }
          >
            Add a rule’s policy
          </Button>
          <Button
            loading={save.isPending}
            disabled={draft === kept || draft.some(({ rule }) => rule?.trim() === '')}
            onClick={() => save.mutate()}
          >
            Save
          </Button>
        </div>
      )}
    </div>
  )
}
