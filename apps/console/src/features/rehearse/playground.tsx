import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useRef } from 'react'
import { useCan } from '../../api/session.ts'
import whole from '../../ui/whole.module.css'
import type { EditorHandle } from '../../ui/yaml/code-mirror.tsx'
import { YamlEditor } from '../../ui/yaml/yaml-editor.tsx'
import { type Draft, useDraft } from '../rulesets/drafts.ts'
import { readCall } from './call-draft.ts'
import { CallForm } from './call-form.tsx'
import { useCallDraft } from './call-store.ts'
import { evaluationQuery } from './queries.ts'
import classes from './rehearse.module.css'
import { VerdictPane } from './verdict-pane.tsx'

type Props = {
  /** Under which the changed text is kept, shared with the editor of the same ruleset. */
  readonly draftKey: string
  readonly label: string
  readonly original: string
  readonly base: number | null
  /** What can be done with the text as it stands. */
  readonly acts?: (text: string, draft: Draft | undefined) => ReactNode
}

/** A text and a call beside each other, and what the one makes of the other as either is typed. */
export function Playground({ draftKey, label, original, base, acts }: Props) {
  const mayWrite = useCan('rulesets:write')
  const [draft, setDraft] = useDraft(draftKey)
  const [callDraft, changeCall] = useCallDraft()
  const editor = useRef<EditorHandle>(null)
  const text = draft?.text ?? original
  const [settledText] = useDebouncedValue(text, 200)
  const [settledCall] = useDebouncedValue(callDraft, 200)
  const read = readCall(settledCall)
  const faults = readCall(callDraft)
  const evaluation = useQuery(evaluationQuery(settledText, read.is === 'call' ? read.call : null))
  const isCurrent =
    settledText === text && settledCall === callDraft && !evaluation.isPlaceholderData && !evaluation.isFetching
  return (
    <div className={whole.whole}>
      {acts && <div className={whole.bar}>{acts(text, draft)}</div>}
      <div className={classes.panes}>
        <div className={classes.text}>
          <YamlEditor
            label={label}
            value={text}
            onChange={
              mayWrite
                ? (next) => setDraft(next === original ? undefined : { text: next, base: draft?.base ?? base })
                : undefined
            }
            diagnostics={evaluation.data?.diagnostics}
            handle={editor}
          />
        </div>
        <div className={classes.side}>
          <CallForm draft={callDraft} faults={faults.is === 'incomplete' ? faults.faults : {}} onChange={changeCall} />
          <VerdictPane
            evaluation={read.is === 'call' ? evaluation.data : undefined}
            isCurrent={isCurrent}
            error={evaluation.error}
            onGo={(line) => editor.current?.goTo(line)}
          />
        </div>
      </div>
    </div>
  )
}
