import { Drawer } from '@mantine/core'
import type { ReactNode } from 'react'

type Props = {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly title: ReactNode
  readonly width?: number
  readonly children: ReactNode
}

/** One thing of a list beside the list; on a telephone, instead of it. Esc closes, focus returns. */
export function SideDrawer({ isOpen, onClose, title, width = 560, children }: Props) {
  return (
    <Drawer
      opened={isOpen}
      onClose={onClose}
      position="right"
      size={`min(${width}px, 100vw)`}
      title={title}
      overlayProps={{ backgroundOpacity: 0.12 }}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {children}
    </Drawer>
  )
}
