import { useLocalStorage } from '@mantine/hooks'

/** Rows of 36 px, or 28 px for those who want more of them. Kept for this browser. */
export function useDensity() {
  const [isCompact, setCompact] = useLocalStorage({
    key: 'countersign-compact-rows',
    defaultValue: false,
    getInitialValueInEffect: false,
  })
  return { isCompact, setCompact, rowHeight: isCompact ? 28 : 36 } as const
}
