import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'

const look = EditorView.theme({
  '&': { height: '100%', background: 'var(--cs-bg)', color: 'var(--cs-text)', fontSize: '12.5px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--cs-mono)', lineHeight: '20px' },
  '.cm-content': { padding: '10px 0', caretColor: 'var(--cs-text)' },
  '.cm-cursor': { borderLeftColor: 'var(--cs-text)' },
  '.cm-gutters': { background: 'var(--cs-bg)', color: 'var(--cs-text-3)', border: 'none' },
  '.cm-lineNumbers .cm-gutterElement': { padding: '0 8px 0 16px' },
  '.cm-activeLine, .cm-activeLineGutter': { background: 'color-mix(in srgb, var(--cs-text) 4%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'color-mix(in srgb, var(--cs-accent) 26%, transparent)',
  },
  '.cm-tooltip': { border: 'none', borderRadius: '6px', background: 'var(--cs-raised)', boxShadow: 'var(--cs-float)' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '2px 8px', fontFamily: 'var(--cs-mono)' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { background: 'var(--cs-selected)', color: 'var(--cs-text)' },
  '.cm-diagnostic': { padding: '6px 10px', fontFamily: 'var(--cs-font)', borderLeftWidth: '3px' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--cs-blocked)' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--cs-held)' },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--cs-blocked)',
    textUnderlineOffset: '3px',
  },
  '.cm-lintRange-warning': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--cs-held)',
    textUnderlineOffset: '3px',
  },
  '.cm-panels': { background: 'var(--cs-sunken)', color: 'var(--cs-text)', borderColor: 'var(--cs-line)' },
  '.cm-searchMatch': { background: 'var(--cs-held-bg)', outline: '1px solid var(--cs-held-line)' },
  '.cm-foldPlaceholder': { border: 'none', background: 'var(--cs-hover)', color: 'var(--cs-text-3)' },
  '.cm-insertedLine, &.cm-merge-b .cm-changedLine': { background: 'var(--cs-allowed-bg)' },
  '.cm-deletedChunk, &.cm-merge-a .cm-changedLine': { background: 'var(--cs-blocked-bg)' },
  '&.cm-merge-b .cm-changedText': { background: 'color-mix(in srgb, var(--cs-allowed) 26%, transparent)' },
  '&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText': {
    background: 'color-mix(in srgb, var(--cs-blocked) 24%, transparent)',
  },
  '.cm-collapsedLines': { background: 'var(--cs-sunken)', color: 'var(--cs-text-3)', padding: '4px 16px' },
})

/** Words apart from values, comments behind both; no colour that means a verdict. */
const words = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--cs-accent-text)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--cs-text)' },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: 'var(--cs-text)', fontWeight: '600' },
  { tag: [tags.comment, tags.lineComment], color: 'var(--cs-text-3)', fontStyle: 'italic' },
  { tag: [tags.punctuation, tags.separator, tags.meta], color: 'var(--cs-text-3)' },
])

export const editorTheme = [look, syntaxHighlighting(words)]
