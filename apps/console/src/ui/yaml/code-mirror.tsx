import { autocompletion, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { yaml } from '@codemirror/lang-yaml'
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from '@codemirror/language'
import { type Diagnostic as Lint, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search'
import { EditorState, type Extension } from '@codemirror/state'
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from '@codemirror/view'
import { type Ref, useEffect, useImperativeHandle, useRef } from 'react'
import { nonce } from '../../theme/nonce.ts'
import type { YamlDiagnostic } from './diagnostic.ts'
import { editorTheme } from './editor-theme.ts'
import classes from './yaml.module.css'

export type EditorHandle = {
  /** Puts the cursor there and shows it; what outlines and lists of diagnostics do. */
  readonly goTo: (line: number, column?: number) => void
}

type Props = {
  readonly label: string
  readonly value: string
  readonly onChange?: (value: string) => void
  readonly diagnostics?: readonly YamlDiagnostic[]
  readonly handle?: Ref<EditorHandle>
  /** Where the cursor stands at first. */
  readonly startLine?: number
}

/** What every editor needs. The nonce must be in each, or the policy lets none of its styles apply. */
export const editorBasics: Extension = [
  EditorView.cspNonce.of(nonce),
  lineNumbers(),
  foldGutter(),
  drawSelection(),
  bracketMatching(),
  yaml(),
  indentUnit.of('  '),
  editorTheme,
]

export function CodeMirror({ label, value, onChange, diagnostics, handle, startLine }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(undefined)
  const told = useRef(onChange)
  told.current = onChange
  const begin = useRef(startLine)
  const isReadOnly = onChange === undefined

  useEffect(() => {
    if (!place.current) return
    const editing: Extension = isReadOnly
      ? [EditorState.readOnly.of(true), EditorView.editable.of(true)]
      : [
          history(),
          indentOnInput(),
          autocompletion(),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) told.current?.(update.state.doc.toString())
          }),
        ]
    const made = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: value,
        extensions: [
          editorBasics,
          editing,
          lintGutter(),
          highlightSelectionMatches(),
          // What scrolls must be reachable by Tab; without it a reader of a long line is not.
          EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
          // Escape first and Tab leaves the editor, so that nobody is caught in it.
          keymap.of([
            ...defaultKeymap,
            ...historyKeymap,
            ...searchKeymap,
            ...foldKeymap,
            ...completionKeymap,
            ...lintKeymap,
            ...(isReadOnly ? [] : [indentWithTab]),
          ]),
        ],
      }),
    })
    view.current = made
    if (begin.current !== undefined) goTo(made, begin.current)
    return () => made.destroy()
    // The editor holds the text from here on; a new text from outside is put in below.
  }, [label, isReadOnly])

  useEffect(() => {
    const editor = view.current
    if (!editor || editor.state.doc.toString() === value) return
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } })
  }, [value])

  useEffect(() => {
    const editor = view.current
    if (!editor) return
    editor.dispatch(
      setDiagnostics(
        editor.state,
        (diagnostics ?? []).map((one) => lintOf(one, editor.state.doc.length)),
      ),
    )
  }, [diagnostics])

  useImperativeHandle(handle, () => ({
    goTo: (line, column) => {
      if (view.current) goTo(view.current, line, column)
    },
  }))
  return <div ref={place} className={classes.editor} />
}

function goTo(editor: EditorView, line: number, column = 1): void {
  const found = editor.state.doc.line(Math.max(1, Math.min(editor.state.doc.lines, line)))
  const anchor = Math.min(found.to, found.from + column - 1)
  editor.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) })
  editor.focus()
}

/** A finding about a text that has since become shorter is put at its end. */
function lintOf({ severity, message, hint, offset, end_offset }: YamlDiagnostic, length: number): Lint {
  const from = Math.min(offset, length)
  return {
    severity,
    message: hint === undefined ? message : `${message}\n${hint}`,
    from,
    to: Math.max(from, Math.min(end_offset, length)),
  }
}
