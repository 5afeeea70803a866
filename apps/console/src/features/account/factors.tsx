import { Button, Modal, Select, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { sessionKey } from '../../api/session.ts'
import type { FactorItem, FactorStatus } from '../../api/types.ts'
import { ConfirmDestructive } from '../../ui/confirm-destructive.tsx'
import groups from '../../ui/groups.module.css'
import { Instant } from '../../ui/instant.tsx'
import { Notice } from '../../ui/notice.tsx'
import { tell, tellFailure } from '../../ui/tell.tsx'
import { factorWords } from '../people/words.ts'
import classes from './account.module.css'
import { AddFactor } from './add-factor.tsx'
import { BackupCodesOnce } from './backup-codes.tsx'

type Props = {
  readonly status: FactorStatus
  readonly isAdding: boolean
  readonly onAdding: (isAdding: boolean) => void
}

export function Factors({ status, isAdding, onAdding }: Props) {
  const [renaming, setRenaming] = useState<FactorItem | null>(null)
  const [removing, setRemoving] = useState<FactorItem | null>(null)
  const kinds = [...new Set(status.factors.map(({ kind }) => kind))]
  return (
    <section className={groups.group} aria-label="Second factors">
      <div className={groups.headLine}>
        <h2>Second factors</h2>
        <Button variant={status.is_enrolled ? 'default' : 'filled'} onClick={() => onAdding(true)}>
          Add a factor
        </Button>
      </div>
      <p className={groups.lead}>
        {status.is_enrolled
          ? 'Asked for when you sign in, and before acts that are hard to take back.'
          : 'You have none: whoever learns your password is you. A passkey takes half a minute.'}
      </p>
      {status.factors.map((factor) => (
        <div key={factor.id} className={classes.row}>
          <div className={classes.words}>
            <h3>{factor.label}</h3>
            <p>
              {factorWords[factor.kind]}
              {factor.kind === 'passkey' && (factor.is_backed_up ? ', synced' : ', on one device')} · added{' '}
              <Instant at={factor.made_at} /> ·{' '}
              {factor.last_used_at === null ? (
                'never used'
              ) : (
                <>
                  used <Instant at={factor.last_used_at} />
                </>
              )}
            </p>
          </div>
          <div className={classes.acts}>
            <Button variant="default" aria-label={`Rename ${factor.label}`} onClick={() => setRenaming(factor)}>
              Rename
            </Button>
            <Button variant="default" aria-label={`Remove ${factor.label}`} onClick={() => setRemoving(factor)}>
              Remove
            </Button>
          </div>
        </div>
      ))}
      {kinds.length > 1 && <Preferred status={status} kinds={kinds} />}
      <Modal
        opened={isAdding}
        onClose={() => onAdding(false)}
        title="Add a second factor"
        size={480}
        // Backup codes that a stray click hides are lost.
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {isAdding && (
          <AddFactor
            status={status}
            onDone={() => {
              onAdding(false)
              tell('The factor was added')
            }}
          />
        )}
      </Modal>
      {renaming && <Rename factor={renaming} onClose={() => setRenaming(null)} />}
      {removing && <Remove factor={removing} status={status} onClose={() => setRemoving(null)} />}
    </section>
  )
}

function Preferred({
  status,
  kinds,
}: {
  readonly status: FactorStatus
  readonly kinds: readonly FactorItem['kind'][]
}) {
  const client = useQueryClient()
  const prefer = useMutation({
    mutationFn: (preferred_kind: FactorItem['kind'] | null) => api.put('/mfa/preferred', { preferred_kind }),
    onError: (error) => tellFailure('The choice was not kept', wordsFor(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ['mfa'] }),
  })
  return (
    <div className={classes.form}>
      <Select
        label="Asked for first"
        data={[
          { value: '', label: 'Whatever is strongest' },
          ...kinds.map((kind) => ({ value: kind, label: factorWords[kind] })),
        ]}
        value={status.preferred_kind ?? ''}
        disabled={prefer.isPending}
        onChange={(value) => prefer.mutate(kinds.find((kind) => kind === value) ?? null)}
      />
    </div>
  )
}

function Rename({ factor, onClose }: { readonly factor: FactorItem; readonly onClose: () => void }) {
  const client = useQueryClient()
  const [label, setLabel] = useState(factor.label)
  const rename = useMutation({
    mutationFn: () => api.patch(`/mfa/factors/${factor.id}`, { label: label.trim() }),
    onSuccess: () => {
      onClose()
      return client.invalidateQueries({ queryKey: ['mfa'] })
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (label.trim() !== '') rename.mutate()
  }
  return (
    <Modal opened onClose={onClose} title="Rename the factor" size={400} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form className={classes.stack} onSubmit={submit}>
        {rename.isError && <Notice tone="bad">{wordsFor(rename.error)}</Notice>}
        <TextInput
          label="Name"
          maxLength={150}
          data-autofocus
          value={label}
          onChange={(event) => setLabel(event.currentTarget.value)}
        />
        <Button type="submit" loading={rename.isPending} disabled={label.trim() === ''}>
          Rename
        </Button>
      </form>
    </Modal>
  )
}

type RemoveProps = { readonly factor: FactorItem; readonly status: FactorStatus; readonly onClose: () => void }

function Remove({ factor, status, onClose }: RemoveProps) {
  const client = useQueryClient()
  const remove = useMutation({
    mutationFn: () => api.delete(`/mfa/factors/${factor.id}`),
    onSuccess: () => {
      onClose()
      tell(`${factor.label} was removed`)
      void client.invalidateQueries({ queryKey: sessionKey })
      return client.invalidateQueries({ queryKey: ['mfa'] })
    },
  })
  return (
    <ConfirmDestructive
      isOpen
      onClose={onClose}
      title="Remove the factor"
      name={factor.label}
      action="Remove it"
      onConfirm={() => remove.mutate()}
      isBusy={remove.isPending}
      error={remove.error}
    >
      {status.factors.length === 1
        ? 'It is your last one: your backup codes and trusted browsers go with it, and your password alone signs you in.'
        : 'It opens nothing any more. Your other factors stay.'}
    </ConfirmDestructive>
  )
}

export function BackupCodes({ status }: { readonly status: FactorStatus }) {
  const client = useQueryClient()
  const [codes, setCodes] = useState<readonly string[] | null>(null)
  const { total, unused, made_at } = status.backup_codes
  const renew = useMutation({
    mutationFn: () => api.post<{ readonly backup_codes: readonly string[] }>('/mfa/backup-codes'),
    onSuccess: ({ backup_codes }) => setCodes(backup_codes),
    onError: (error) => tellFailure('No new codes were made', wordsFor(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ['mfa'] }),
  })
  return (
    <section className={groups.group} aria-label="Backup codes">
      <div className={groups.headLine}>
        <h2>Backup codes</h2>
        <Button variant="default" loading={renew.isPending} onClick={() => renew.mutate()}>
          Make new codes
        </Button>
      </div>
      <p className={groups.lead}>
        {total === 0 ? (
          'You have none.'
        ) : (
          <>
            {unused} of {total} are unused
            {made_at && (
              <>
                , made <Instant at={made_at} />
              </>
            )}
            . New ones end the old.
          </>
        )}
      </p>
      <Modal
        opened={codes !== null}
        onClose={() => setCodes(null)}
        title="Your new backup codes"
        size={480}
        closeOnEscape={false}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {codes && <BackupCodesOnce codes={codes} onDone={() => setCodes(null)} />}
      </Modal>
    </section>
  )
}
