import { MergeView, unifiedMergeView } from '@codemirror/merge'
import { EditorState, type Extension } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { useEffect, useRef } from 'react'
import { editorBasics } from './code-mirror.tsx'
import classes from './yaml.module.css'

type Props = {
  readonly before: string
  readonly after: string
  readonly beforeLabel: string
  readonly afterLabel: string
  readonly isSideBySide: boolean
}

const collapsed = { margin: 3, minSize: 6 }

export function Merge({ before, after, beforeLabel, afterLabel, isSideBySide }: Props) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const parent = place.current
    if (!parent) return
    const side = (label: string): Extension => [
      editorBasics,
      EditorState.readOnly.of(true),
      EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
    ]
    if (isSideBySide) {
      const view = new MergeView({
        parent,
        a: { doc: before, extensions: side(beforeLabel) },
        b: { doc: after, extensions: side(afterLabel) },
        collapseUnchanged: collapsed,
        gutter: true,
      })
      return () => view.destroy()
    }
    const view = new EditorView({
      parent,
      state: EditorState.create({
        doc: after,
        extensions: [
          side(`${beforeLabel} to ${afterLabel}`),
          unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: collapsed }),
        ],
      }),
    })
    return () => view.destroy()
  }, [before, after, beforeLabel, afterLabel, isSideBySide])
  return <div ref={place} className={classes.merge} />
}
