import { Button, Modal, TextInput } from '@mantine/core'
import { type FormEvent, type ReactNode, useState } from 'react'
import { wordsFor } from '../api/problem.ts'
import classes from './confirm.module.css'
import { Notice } from './notice.tsx'

type Props = {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly title: string
  /** What will happen, with numbers. */
  readonly children: ReactNode
  /** What has to be typed: the name of what is lost. */
  readonly name: string
  readonly action: string
  readonly onConfirm: () => void
  readonly isBusy?: boolean
  readonly error?: unknown
}

/** For what cannot be undone: says the consequence, and asks to type the name of what it takes. */
export function ConfirmDestructive({ isOpen, onClose, ...rest }: Props) {
  return (
    <Modal opened={isOpen} onClose={onClose} title={rest.title} size={460} closeButtonProps={{ 'aria-label': 'Close' }}>
      {isOpen && <Body onClose={onClose} {...rest} />}
    </Modal>
  )
}

function Body({ children, name, action, onConfirm, isBusy = false, error, onClose }: Omit<Props, 'isOpen' | 'title'>) {
  const [typed, setTyped] = useState('')
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (typed === name) onConfirm()
  }
  return (
    <form className={classes.form} onSubmit={submit}>
      <div className={classes.consequence}>{children}</div>
      <TextInput
        label={
          <>
            Type <code className={classes.name}>{name}</code> to confirm
          </>
        }
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        autoComplete="off"
        spellCheck={false}
        data-autofocus
      />
      {error != null && <Notice tone="bad">{wordsFor(error)}</Notice>}
      <div className={classes.actions}>
        <Button variant="default" onClick={onClose}>
          Keep it
        </Button>
        <Button type="submit" className={classes.destructive} disabled={typed !== name} loading={isBusy}>
          {action}
        </Button>
      </div>
    </form>
  )
}
