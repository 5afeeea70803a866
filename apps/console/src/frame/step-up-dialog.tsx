import { Modal } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { answerStepUps } from '../api/step-up.ts'
import { factorsQuery } from '../features/account/queries.ts'
import { Failed, Loading } from '../ui/list-states.tsx'

const ProveFactor = lazy(() =>
  import('../features/account/prove-factor.tsx').then((module) => ({ default: module.ProveFactor })),
)

/** Asks for a fresh proof when an act needs one. The act is then sent once more by itself; declined, it fails as it did. */
export function StepUpDialog() {
  const [isOpen, setOpen] = useState(false)
  const answer = useRef<(isProven: boolean) => void>(undefined)
  useEffect(
    () =>
      answerStepUps(
        () =>
          new Promise((resolve) => {
            answer.current = resolve
            setOpen(true)
          }),
      ),
    [],
  )
  const close = (isProven: boolean): void => {
    setOpen(false)
    answer.current?.(isProven)
    answer.current = undefined
  }
  return (
    <Modal
      opened={isOpen}
      // Esc declines this and leaves a dialog below it open, with what was filled in there: the mark keeps the other
      // dialog from hearing the key.
      closeOnEscape={false}
      onFocusCapture={({ target }) => target.setAttribute('data-mantine-stop-propagation', 'true')}
      onKeyDown={({ key }) => {
        if (key === 'Escape') close(false)
      }}
      onClose={() => close(false)}
      title="Confirm that it is you"
      size={420}
      zIndex={400}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {isOpen && <Body onProven={() => close(true)} />}
    </Modal>
  )
}

function Body({ onProven }: { readonly onProven: () => void }) {
  const { data, error, isError, refetch } = useQuery({ ...factorsQuery, staleTime: 0 })
  if (isError && !data)
    return <Failed what="Your factors could not be read" error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading rows={2} />
  return (
    <Suspense fallback={<Loading rows={2} />}>
      <p style={{ marginBottom: 14 }}>
        {data.is_enrolled
          ? 'What you are about to do needs a fresh proof. It goes on by itself afterwards.'
          : 'What you are about to do needs your password once more. It goes on by itself afterwards.'}
      </p>
      <ProveFactor status={data} onProven={onProven} />
    </Suspense>
  )
}
