import { PasswordInput } from '@mantine/core'
import { passwordFault, passwordLengthMin } from './password.ts'

/** What was typed twice. */
export type TypedTwice = { readonly password: string; readonly repeated: string }

export const nothingTyped: TypedTwice = { password: '', repeated: '' }

/** Good enough for the server, and both the same. */
export function isGoodPassword({ password, repeated }: TypedTwice): boolean {
  return passwordFault(password) === null && repeated === password
}

type Props = {
  readonly typed: TypedTwice
  readonly onChange: (typed: TypedTwice) => void
  /** Somebody has tried to go on: from then on what is wrong is said. */
  readonly isTried: boolean
  /** What the server said of it. */
  readonly fault?: string | undefined
}

/** A new password, typed twice. */
export function NewPassword({ typed, onChange, isTried, fault }: Props) {
  const { password, repeated } = typed
  return (
    <>
      <PasswordInput
        label="Password"
        description={`At least ${passwordLengthMin} characters. Four random words do well.`}
        name="new-password"
        autoComplete="new-password"
        required
        withAsterisk={false}
        value={password}
        onChange={(event) => onChange({ password: event.currentTarget.value, repeated })}
        error={fault ?? (isTried && passwordFault(password))}
        visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
      />
      <PasswordInput
        label="Password again"
        autoComplete="new-password"
        required
        withAsterisk={false}
        value={repeated}
        onChange={(event) => onChange({ password, repeated: event.currentTarget.value })}
        error={isTried && repeated !== password && 'The two passwords differ.'}
        visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the repeated password' }}
      />
    </>
  )
}
