import { Button, Checkbox, PasswordInput, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import type { FactorStatus } from '../../api/types.ts'
import { Notice } from '../../ui/notice.tsx'
import classes from './account.module.css'
import { canUsePasskeys, provePasskey } from './passkey.ts'

type Props = {
  readonly status: FactorStatus
  /** At sign-in only: a step-up is never skipped, so no browser is trusted for one. */
  readonly mayTrust?: boolean
  readonly onProven: () => void
}

/** Asks for one of the person's factors, the preferred one first; for the password when there is none. */
export function ProveFactor({ status, mayTrust = false, onProven }: Props) {
  const { factors, preferred_kind, trusted_device_days: days } = status
  const hasPasskey = canUsePasskeys() && factors.some(({ kind }) => kind === 'passkey')
  const [isByCode, setByCode] = useState(!hasPasskey || (preferred_kind !== null && preferred_kind !== 'passkey'))
  const [trusts, setTrusts] = useState(false)
  const trust = mayTrust && days > 0 && (
    <Checkbox
      label={`Trust this browser for ${days} ${days === 1 ? 'day' : 'days'}`}
      description="It is not asked again at sign-in. Acts that need a fresh proof still ask."
      checked={trusts}
      onChange={(event) => setTrusts(event.currentTarget.checked)}
    />
  )
  if (!status.is_enrolled) return <ByPassword onProven={onProven} />
  return (
    <div className={classes.stack}>
      {isByCode ? (
        <ByCode factors={factors} trusts={trusts} onProven={onProven}>
          {trust}
        </ByCode>
      ) : (
        <ByPasskey trusts={trusts} onProven={onProven}>
          {trust}
        </ByPasskey>
      )}
      {hasPasskey && (
        <button type="button" className={classes.other} onClick={() => setByCode(!isByCode)}>
          {isByCode ? 'Use a passkey' : 'Use a code instead'}
        </button>
      )}
    </div>
  )
}

type WayProps = { readonly trusts: boolean; readonly onProven: () => void; readonly children?: React.ReactNode }

function ByPasskey({ trusts, onProven, children }: WayProps) {
  const prove = useMutation({ mutationFn: () => provePasskey(trusts), onSuccess: onProven })
  return (
    <>
      {prove.isError && <Notice tone="bad">{wordsFor(prove.error)}</Notice>}
      {children}
      <Button fullWidth data-autofocus autoFocus loading={prove.isPending} onClick={() => prove.mutate()}>
        Use a passkey
      </Button>
    </>
  )
}

function ByCode({ factors, trusts, onProven, children }: WayProps & { readonly factors: FactorStatus['factors'] }) {
  const [code, setCode] = useState('')
  const prove = useMutation({
    mutationFn: () => api.post('/mfa/verification', { code, ...(trusts && { trust_device: true }) }),
    onSuccess: onProven,
    onError: () => setCode(''),
  })
  const kinds = new Set(factors.map(({ kind }) => kind))
  const ways = [
    kinds.has('totp') && 'the six digits of your authenticator app',
    kinds.has('yubico') && 'a touch of your Yubico key',
    'a backup code',
  ].filter((way) => way !== false)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (code.trim() !== '') prove.mutate()
  }
  return (
    <form className={classes.stack} onSubmit={submit}>
      {prove.isError && <Notice tone="bad">{wordsFor(prove.error)}</Notice>}
      <TextInput
        label="Code"
        description={`Enter ${ways.length > 1 ? `${ways.slice(0, -1).join(', ')} or ${ways.at(-1)}` : ways[0]}.`}
        name="one-time-code"
        autoComplete="one-time-code"
        autoFocus
        data-autofocus
        spellCheck={false}
        maxLength={64}
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
      />
      {children}
      <Button type="submit" fullWidth loading={prove.isPending} disabled={code.trim() === ''}>
        Confirm
      </Button>
    </form>
  )
}

function ByPassword({ onProven }: { readonly onProven: () => void }) {
  const [password, setPassword] = useState('')
  const prove = useMutation({
    mutationFn: () => api.post('/mfa/verification/password', { password }),
    onSuccess: onProven,
    onError: () => setPassword(''),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    prove.mutate()
  }
  return (
    <form className={classes.stack} onSubmit={submit}>
      {prove.isError && <Notice tone="bad">{wordsFor(prove.error)}</Notice>}
      <PasswordInput
        label="Password"
        autoComplete="current-password"
        autoFocus
        data-autofocus
        required
        withAsterisk={false}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
      />
      <Button type="submit" fullWidth loading={prove.isPending} disabled={password === ''}>
        Confirm
      </Button>
    </form>
  )
}
