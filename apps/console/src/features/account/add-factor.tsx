import { Button, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { fieldErrors, wordsFor } from '../../api/problem.ts'
import { sessionKey } from '../../api/session.ts'
import type { EnrolledFactor, FactorStatus, TotpStarted } from '../../api/types.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Notice } from '../../ui/notice.tsx'
import classes from './account.module.css'
import { BackupCodesOnce } from './backup-codes.tsx'
import { addPasskey, canUsePasskeys } from './passkey.ts'
import { QrCode } from './qr-code.tsx'

type Way = 'passkey' | 'totp' | 'yubico'
type Props = { readonly status: FactorStatus; readonly onDone: () => void }

/** Adds a factor, in the person's choice of kind; with the first one come backup codes, shown once. */
export function AddFactor({ status, onDone }: Props) {
  const client = useQueryClient()
  const [way, setWay] = useState<Way | null>(null)
  const [codes, setCodes] = useState<readonly string[] | null>(null)
  const finish = (): void => {
    void client.invalidateQueries({ queryKey: ['mfa'] })
    void client.invalidateQueries({ queryKey: sessionKey })
    onDone()
  }
  const added = ({ backup_codes }: EnrolledFactor): void => {
    // Not earlier than the codes are kept: what follows the session leaves this page.
    if (backup_codes) setCodes(backup_codes)
    else finish()
  }
  if (codes) return <BackupCodesOnce codes={codes} onDone={finish} />
  if (way === null) return <Choices status={status} onChoose={setWay} />
  return (
    <div className={classes.stack}>
      {way === 'passkey' && <NewPasskey onAdded={added} />}
      {way === 'totp' && <NewTotp onAdded={added} />}
      {way === 'yubico' && <NewYubico onAdded={added} />}
      <button type="button" className={classes.other} onClick={() => setWay(null)}>
        Choose another kind
      </button>
    </div>
  )
}

function Choices({ status, onChoose }: { readonly status: FactorStatus; readonly onChoose: (way: Way) => void }) {
  return (
    <div className={classes.choices}>
      {canUsePasskeys() && (
        <button type="button" className={classes.choice} data-autofocus onClick={() => onChoose('passkey')}>
          <strong>Passkey or security key</strong>
          <span>Best: cannot be phished, and can countersign approvals.</span>
        </button>
      )}
      <button type="button" className={classes.choice} onClick={() => onChoose('totp')}>
        <strong>Authenticator app</strong>
        <span>Six digits that change every 30 seconds.</span>
      </button>
      {status.yubico_is_configured && (
        <button type="button" className={classes.choice} onClick={() => onChoose('yubico')}>
          <strong>Yubico key, one-time password</strong>
          <span>A touch types a password that works once.</span>
        </button>
      )}
    </div>
  )
}

type NewProps = { readonly onAdded: (added: EnrolledFactor) => void }

function NewPasskey({ onAdded }: NewProps) {
  const [label, setLabel] = useState('')
  const add = useMutation({ mutationFn: () => addPasskey(label.trim() || 'Passkey'), onSuccess: onAdded })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    add.mutate()
  }
  return (
    <form className={classes.stack} onSubmit={submit}>
      {add.isError && <Notice tone="bad">{wordsFor(add.error)}</Notice>}
      <TextInput
        label="Name"
        description="To tell it from others you add."
        placeholder="Laptop"
        maxLength={150}
        autoFocus
        value={label}
        onChange={(event) => setLabel(event.currentTarget.value)}
        error={fieldErrors(add.error)['label']}
      />
      <Button type="submit" loading={add.isPending}>
        Make the passkey
      </Button>
    </form>
  )
}

function NewTotp({ onAdded }: NewProps) {
  const [label, setLabel] = useState('')
  const [code, setCode] = useState('')
  const start = useMutation({
    mutationFn: () => api.post<TotpStarted>('/mfa/totp', label.trim() === '' ? {} : { label: label.trim() }),
  })
  const confirm = useMutation({
    mutationFn: (id: string) => api.post<EnrolledFactor>(`/mfa/totp/${id}/confirmation`, { code }),
    onSuccess: onAdded,
    onError: () => setCode(''),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (start.data) confirm.mutate(start.data.id)
    else start.mutate()
  }
  const failure = confirm.error ?? start.error
  return (
    <form className={classes.stack} onSubmit={submit}>
      {failure && <Notice tone="bad">{wordsFor(failure)}</Notice>}
      {start.data ? (
        <>
          <div className={classes.qr}>
            <QrCode text={start.data.uri} label="QR code for your authenticator app" />
            <div>
              <p>Scan it with your authenticator app, or type this key:</p>
              <p className={classes.secret}>
                <code>{start.data.secret}</code>
                <CopyButton text={start.data.secret} what="the key" />
              </p>
            </div>
          </div>
          <TextInput
            label="Code"
            description="The six digits that the app shows now."
            inputMode="numeric"
            autoComplete="one-time-code"
            autoFocus
            maxLength={7}
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
          />
          <Button type="submit" loading={confirm.isPending} disabled={code.trim().length < 6}>
            Confirm the app
          </Button>
        </>
      ) : (
        <>
          <TextInput
            label="Name"
            description="To tell it from others you add."
            placeholder="Phone"
            maxLength={150}
            autoFocus
            value={label}
            onChange={(event) => setLabel(event.currentTarget.value)}
          />
          <Button type="submit" loading={start.isPending}>
            Show the QR code
          </Button>
        </>
      )}
    </form>
  )
}

function NewYubico({ onAdded }: NewProps) {
  const [label, setLabel] = useState('')
  const [otp, setOtp] = useState('')
  const add = useMutation({
    mutationFn: () => api.post<EnrolledFactor>('/mfa/yubico', { otp: otp.trim(), label: label.trim() || 'Yubico key' }),
    onSuccess: onAdded,
    onError: () => setOtp(''),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (otp.trim() !== '') add.mutate()
  }
  return (
    <form className={classes.stack} onSubmit={submit}>
      {add.isError && <Notice tone="bad">{wordsFor(add.error)}</Notice>}
      <TextInput label="Name" maxLength={150} value={label} onChange={(event) => setLabel(event.currentTarget.value)} />
      <TextInput
        label="One-time password"
        description="Put the cursor here and touch the key."
        autoComplete="off"
        spellCheck={false}
        autoFocus
        maxLength={48}
        value={otp}
        onChange={(event) => setOtp(event.currentTarget.value)}
        error={fieldErrors(add.error)['otp']}
      />
      <Button type="submit" loading={add.isPending} disabled={otp.trim() === ''}>
        Add the key
      </Button>
    </form>
  )
}
