import { type ComponentProps, lazy, Suspense } from 'react'
import { Loading } from '../list-states.tsx'
import type { CodeMirror as CodeMirrorType } from './code-mirror.tsx'

const CodeMirror = lazy(() => import('./code-mirror.tsx').then(({ CodeMirror }) => ({ default: CodeMirror })))

/** The editor for rulesets; read-only without `onChange`. Loaded when a page with one is opened. */
export function YamlEditor(props: ComponentProps<typeof CodeMirrorType>) {
  return (
    <Suspense fallback={<Loading rowHeight={24} />}>
      <CodeMirror {...props} />
    </Suspense>
  )
}
