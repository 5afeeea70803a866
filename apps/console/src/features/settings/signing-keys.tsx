import { Button, Modal } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useCan } from '../../api/session.ts'
import type { SigningKey } from '../../api/types.ts'
import { ConfirmDestructive } from '../../ui/confirm-destructive.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import groups from '../../ui/groups.module.css'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { counted } from '../../ui/numbers.ts'
import { tell, tellFailure } from '../../ui/tell.tsx'
import { signingKeysQuery } from '../keys/queries.ts'
import { followersQuery } from './queries.ts'
import classes from './settings.module.css'

const stateWords: Readonly<Record<SigningKey['state'], string>> = {
  current: 'current: new keys get it',
  older: 'older: still signs every rollout',
  retired: 'retired: signs nothing',
}

export function SigningKeys() {
  const { data, error, isError, refetch } = useQuery(signingKeysQuery)
  const client = useQueryClient()
  const mayWrite = useCan('signing-keys:write')
  const [isRotating, setRotating] = useState(false)
  const [retiring, setRetiring] = useState<SigningKey | null>(null)
  const rotate = useMutation({
    mutationFn: () => api.post<{ readonly signed_rollouts: number }>('/signing-keys/rotate'),
    onSuccess: ({ signed_rollouts }) =>
      tell('A new signing key is current', `${counted(signed_rollouts, 'live rollout')} carry its signature too.`),
    onError: (failure) => tellFailure('The signing key was not rotated', wordsFor(failure)),
    onSettled: () => {
      setRotating(false)
      return client.invalidateQueries({ queryKey: ['signing-keys'] })
    },
  })
  if (isError && !data)
    return <Failed what="The signing keys could not be read" error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading rows={2} rowHeight={64} />
  return (
    <section className={groups.group} aria-label="Signing keys">
      <div className={groups.headLine}>
        <h2>Signing keys</h2>
        {mayWrite && (
          <Button variant="default" onClick={() => setRotating(true)}>
            Rotate
          </Button>
        )}
      </div>
      <p className={groups.lead}>
        Ed25519. Every rollout is signed by each key that is not retired; agents that pin a public key accept only its
        signatures.
      </p>
      {data.items.map((key) => (
        <div key={key.id} className={classes.row} data-retired={key.state === 'retired' || undefined}>
          <div className={classes.words}>
            <div className={classes.publicKey}>
              <code>{key.public_key}</code>
              <CopyButton text={key.public_key} what="the public key" />
            </div>
            <p>
              {stateWords[key.state]} · {counted(key.key_count, 'key')} · made <Instant at={key.made_at} /> by{' '}
              {key.made_by.label}
            </p>
          </div>
          {mayWrite && key.state === 'older' && (
            <Button variant="default" className={classes.sharp} onClick={() => setRetiring(key)}>
              Retire
            </Button>
          )}
        </div>
      ))}
      <Modal
        opened={isRotating}
        onClose={() => setRotating(false)}
        title="Rotate the signing key"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <p className={groups.lead}>
          A new key becomes current and signs every live rollout in addition. Existing agent keys keep being served the
          signature they know, so nothing changes for running agents.
        </p>
        <div className={classes.actions}>
          <Button variant="default" onClick={() => setRotating(false)}>
            Cancel
          </Button>
          <Button loading={rotate.isPending} onClick={() => rotate.mutate()}>
            Rotate
          </Button>
        </div>
      </Modal>
      {retiring && <Retire signingKey={retiring} onClose={() => setRetiring(null)} />}
    </section>
  )
}

function Retire({ signingKey, onClose }: { readonly signingKey: SigningKey; readonly onClose: () => void }) {
  const client = useQueryClient()
  const followers = useQuery(followersQuery(signingKey.id))
  const short = signingKey.public_key.slice(0, 8)
  const retire = useMutation({
    mutationFn: () => api.post(`/signing-keys/${signingKey.id}/retire`, { confirm: short }),
    onSuccess: () => {
      tell(`${short} is retired`, 'No rollout from now on carries its signature.')
      onClose()
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['signing-keys'] }),
  })
  const { keys = [], agents = [] } = followers.data ?? {}
  return (
    <ConfirmDestructive
      isOpen
      onClose={onClose}
      title="Retire a signing key"
      name={short}
      action="Retire the key"
      onConfirm={() => retire.mutate()}
      isBusy={retire.isPending}
      error={retire.error}
    >
      {followers.isPending && <p>Looking up who relies on it.</p>}
      {followers.isError && <p>Who relies on it could not be found out: {wordsFor(followers.error)}</p>}
      {followers.data && keys.length === 0 && <p>No agent key in use is served its signatures.</p>}
      {keys.length > 0 && (
        <>
          <p>
            {counted(keys.length, 'agent key')} and {counted(agents.length, 'agent')} verify with it. They would freeze
            on the revision they run. Move the keys to another signing key first.
          </p>
          <ul className={classes.followers}>
            {keys.slice(0, 6).map(({ id, label, prefix, environment }) => (
              <li key={id}>
                {label || `${prefix}…`} <span className={classes.quiet}>{environment}</span>
              </li>
            ))}
            {agents.slice(0, 6).map(({ agent_id, environment }) => (
              <li key={`${environment} ${agent_id}`}>
                <code>{agent_id}</code> <span className={classes.quiet}>{environment}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </ConfirmDestructive>
  )
}
