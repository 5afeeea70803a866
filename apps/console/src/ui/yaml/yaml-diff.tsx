import { useMediaQuery } from '@mantine/hooks'
import { lazy, Suspense } from 'react'
import { Loading } from '../list-states.tsx'

const Merge = lazy(() => import('./merge-view.tsx').then(({ Merge }) => ({ default: Merge })))

type Props = {
  readonly before: string
  readonly after: string
  readonly beforeLabel: string
  readonly afterLabel: string
  /** Beside each other where there is room; in one column on a narrow screen whatever was chosen. */
  readonly isSideBySide?: boolean
}

export function YamlDiff({ isSideBySide = false, ...rest }: Props) {
  const isWide = useMediaQuery('(min-width: 1024px)', undefined, { getInitialValueInEffect: false }) ?? true
  return (
    <Suspense fallback={<Loading rowHeight={24} />}>
      <Merge {...rest} isSideBySide={isSideBySide && isWide} />
    </Suspense>
  )
}
