import { Button, Select, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useCanIn } from '../../api/session.ts'
import type { AgentKey } from '../../api/types.ts'
import { ConfirmDestructive } from '../../ui/confirm-destructive.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import parts from '../../ui/drawer-parts.module.css'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Instant } from '../../ui/instant.tsx'
import { counted } from '../../ui/numbers.ts'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { tell, tellFailure } from '../../ui/tell.tsx'
import classes from './keys.module.css'
import { consequenceQuery, signingKeysQuery } from './queries.ts'
import { renderingChoices } from './words.ts'

type Props = { readonly agentKey: AgentKey; readonly name: string; readonly onClose: () => void }

export function KeyDrawer({ agentKey, name, onClose }: Props) {
  const { id, prefix, environment, label, rendering, signing_key_id, revoked_at } = agentKey
  const client = useQueryClient()
  const mayWrite = useCanIn('keys:write', environment) && revoked_at === null
  const signingKeys = useQuery(signingKeysQuery)
  const [isRevoking, setRevoking] = useState(false)
  const [newLabel, setNewLabel] = useState(label)
  const change = useMutation({
    mutationFn: (body: Readonly<Record<string, string>>) => api.patch<AgentKey>(`/keys/${id}`, body),
    onSuccess: () => tell(`${name} was changed`, 'Agents that hold it see it at their next request.'),
    onError: (error) => tellFailure(`${name} was not changed`, wordsFor(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ['keys'] }),
  })
  return (
    <SideDrawer isOpen onClose={onClose} title={name} width={520}>
      <Facts>
        <Fact name="Key">
          <code>{prefix}…</code>
          <CopyButton text={prefix} what="the prefix" />
        </Fact>
        <Fact name="Environment">
          <EnvironmentTag name={environment} />
        </Fact>
        <Fact name="Made">
          <Instant at={agentKey.made_at} form="exact" /> by {agentKey.made_by.label}
        </Fact>
        <Fact name="Last used">
          {agentKey.last_used_at ? <Instant at={agentKey.last_used_at} form="exact" /> : 'never'}
        </Fact>
        <Fact name="Approvals">{agentKey.may_decide ? 'may decide those of other keys' : 'may ask, not decide'}</Fact>
        {revoked_at && (
          <Fact name="Revoked">
            <Instant at={revoked_at} form="exact" />
          </Fact>
        )}
      </Facts>
      {mayWrite && (
        <div className={classes.form}>
          <form
            className={parts.inline}
            onSubmit={(event) => {
              event.preventDefault()
              change.mutate({ label: newLabel.trim() })
            }}
          >
            <TextInput
              label="Label"
              maxLength={255}
              value={newLabel}
              onChange={(event) => setNewLabel(event.currentTarget.value)}
            />
            <Button type="submit" variant="default" disabled={newLabel.trim() === label} loading={change.isPending}>
              Rename
            </Button>
          </form>
          <Select
            label="Rules are served as"
            description="Its agents must understand it; they get it at their next fetch."
            data={[...renderingChoices]}
            value={rendering}
            onChange={(value) => {
              if (value !== null && value !== rendering) change.mutate({ rendering: value })
            }}
          />
          {signingKeys.data && signingKeys.data.items.length > 1 && (
            <Select
              label="Signatures of"
              description="Agents that pin a public key verify only rollouts that it signed."
              data={signingKeys.data.items
                .filter(({ state }) => state !== 'retired')
                .map((one) => ({ value: one.id, label: `${one.public_key.slice(0, 16)}… (${one.state})` }))}
              value={signing_key_id}
              onChange={(value) => {
                if (value !== null && value !== signing_key_id) change.mutate({ signing_key_id: value })
              }}
            />
          )}
          <div className={parts.danger}>
            <p>Revoking closes what it holds open and cannot be undone.</p>
            <Button variant="default" className={classes.revoke} onClick={() => setRevoking(true)}>
              Revoke the key
            </Button>
          </div>
        </div>
      )}
      <Revoke agentKey={agentKey} name={name} isOpen={isRevoking} onClose={() => setRevoking(false)} onDone={onClose} />
    </SideDrawer>
  )
}

type RevokeProps = Props & { readonly isOpen: boolean; readonly onDone: () => void }

function Revoke({ agentKey, name, isOpen, onClose, onDone }: RevokeProps) {
  const client = useQueryClient()
  const consequence = useQuery({ ...consequenceQuery(agentKey.id), enabled: isOpen })
  const revoke = useMutation({
    mutationFn: () => api.post(`/keys/${agentKey.id}/revoke`),
    onSuccess: () => {
      tell(`${name} was revoked`, 'Its streams were closed.')
      onDone()
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['keys'] }),
  })
  const { open_streams = 0, agents = [] } = consequence.data ?? {}
  return (
    <ConfirmDestructive
      isOpen={isOpen}
      onClose={onClose}
      title={`Revoke ${name}`}
      name={agentKey.label === '' ? agentKey.prefix : agentKey.label}
      action="Revoke the key"
      onConfirm={() => revoke.mutate()}
      isBusy={revoke.isPending}
      error={revoke.error}
    >
      {consequence.isPending && <p>Looking up what it holds open.</p>}
      {consequence.isError && <p>What it holds open could not be found out: {wordsFor(consequence.error)}</p>}
      {consequence.data && (
        <>
          <p>
            {open_streams === 0
              ? 'It holds no stream open now.'
              : `${counted(open_streams, 'stream')} will close at once.`}{' '}
            Every later request with it is refused; agents keep the last rules they were sent and can no longer ask for
            approvals.
          </p>
          {agents.length > 0 && (
            <ul className={classes.agents}>
              {agents.slice(0, 8).map(({ agent_id, environment }) => (
                <li key={`${environment} ${agent_id}`}>
                  <code>{agent_id}</code>
                </li>
              ))}
              {agents.length > 8 && <li>and {agents.length - 8} more</li>}
            </ul>
          )}
        </>
      )}
    </ConfirmDestructive>
  )
}
