import { Button, Modal, Select } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import parts from '../../ui/drawer-parts.module.css'
import { Notice } from '../../ui/notice.tsx'
import { pathOf } from './queries.ts'
import { TokenOnce } from './token-once.tsx'
import classes from './tokens.module.css'
import type { ApiToken, MadeApiToken } from './types.ts'

const overlaps = [
  { value: '0', label: 'Not at all' },
  { value: '1', label: 'An hour' },
  { value: '24', label: 'A day' },
  { value: '168', label: 'A week' },
] as const

/** A new value for the same token; the old one works on for a while, so that nothing stands still meanwhile. */
export function RotateToken({ token: { id, name } }: { readonly token: ApiToken }) {
  const client = useQueryClient()
  const [isOpen, setOpen] = useState(false)
  const [overlap, setOverlap] = useState('24')
  const [made, setMade] = useState<MadeApiToken | null>(null)
  const rotate = useMutation({
    mutationFn: () => api.post<MadeApiToken>(`${pathOf(id)}/rotation`, { overlap_hours: Number(overlap) }),
    onSuccess: setMade,
    onSettled: () => client.invalidateQueries({ queryKey: ['tokens', 'list'] }),
  })
  const close = (): void => {
    setOpen(false)
    setMade(null)
  }
  return (
    <div className={parts.danger}>
      <p>Rotating makes a new value; the old one works on for as long as you say.</p>
      <Button variant="default" onClick={() => setOpen(true)}>
        Rotate
      </Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title={made ? 'Copy the token now' : `Rotate ${name}`}
        size={made ? 640 : 460}
        closeOnEscape={made === null}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {made ? (
          <TokenOnce made={made} onDone={close} />
        ) : (
          <div className={classes.form}>
            <Select
              label="The old one works for"
              data={[...overlaps]}
              allowDeselect={false}
              value={overlap}
              onChange={(value) => setOverlap(value ?? '24')}
            />
            {overlap === '0' && <Notice tone="care">Whatever holds the old one is refused at once.</Notice>}
            {rotate.isError && <Notice tone="bad">{wordsFor(rotate.error)}</Notice>}
            <div className={classes.acts}>
              <Button loading={rotate.isPending} onClick={() => rotate.mutate()}>
                Make the new value
              </Button>
            </div>
          </div>
        )}
      </Modal>
    </div>
  )
}
