import { Button } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type ChangeEvent, type DragEvent, useRef, useState } from 'react'
import { wordsFor } from '../../api/problem.ts'
import { useCan } from '../../api/session.ts'
import { Notice } from '../../ui/notice.tsx'
import { counted } from '../../ui/numbers.ts'
import { tell, tellFailure } from '../../ui/tell.tsx'
import whole from '../../ui/whole.module.css'
import type { EditorHandle } from '../../ui/yaml/code-mirror.tsx'
import { YamlEditor } from '../../ui/yaml/yaml-editor.tsx'
import { CheckStatus } from './check-status.tsx'
import { useDraft } from './drafts.ts'
import classes from './editor.module.css'
import { Outline } from './outline.tsx'
import { checkQuery } from './queries.ts'
import { SaveRevision } from './save-revision.tsx'

/** Room for a source that extends others; the server says the same. */
const charactersMax = 1_048_576

type Props = {
  /** Under which an unsaved text is kept. */
  readonly draftKey: string
  /** The ruleset that is edited; null for one that has no revision yet. */
  readonly name: string | null
  readonly original: string
  readonly base: number | null
  /** Where to begin to read. */
  readonly line?: number
}

/** Checked as it is typed; nothing is kept before it is saved, and nothing runs before it is rolled out. */
export function RulesetEditor({ draftKey, name, original, base, line }: Props) {
  const mayWrite = useCan('rulesets:write')
  const navigate = useNavigate()
  const [draft, setDraft] = useDraft(draftKey)
  const text = draft?.text ?? original
  const [settled] = useDebouncedValue(text, 250)
  const check = useQuery({ ...checkQuery(settled), placeholderData: keepPreviousData })
  const checked = check.data
  const isCurrent = settled === text && checked !== undefined && !check.isPlaceholderData
  const editor = useRef<EditorHandle>(null)
  const file = useRef<HTMLInputElement>(null)
  // Another text altogether: what was found in the one before says nothing of it.
  const [replaced, setReplaced] = useState({ times: 0, by: original })
  const [isSaving, setSaving] = useState(false)
  const same = checked?.same_as_version ?? null
  const isOvertaken = draft !== undefined && draft.base !== base

  const write = (next: string): void =>
    setDraft(next === original ? undefined : { text: next, base: draft?.base ?? base })
  const read = async (from: File | undefined): Promise<void> => {
    if (!from) return
    if (from.size > charactersMax * 4)
      return tellFailure(`${from.name} was not read`, 'It is larger than 1 MiB of text.')
    const content = await from.text()
    if (content.length > charactersMax)
      return tellFailure(`${from.name} was not read`, 'It is larger than 1 MiB of text.')
    const before = text
    const replace = (next: string): void => {
      write(next)
      setReplaced(({ times }) => ({ times: times + 1, by: next }))
    }
    replace(content)
    tell(`${from.name} is in the editor`, 'It is not saved yet.', () => replace(before))
  }
  const canSave = isCurrent && checked.is_valid && same === null

  return (
    <div className={whole.whole}>
      <div className={whole.bar}>
        <CheckStatus checked={checked} isCurrent={isCurrent} error={check.error} name={name} />
        <span className={classes.grow} />
        {mayWrite && (
          <>
            <input
              ref={file}
              type="file"
              accept=".yaml,.yml,.txt,application/yaml,text/*"
              className="cs-hidden"
              tabIndex={-1}
              aria-label="Ruleset file"
              onChange={(event: ChangeEvent<HTMLInputElement>) => {
                void read(event.currentTarget.files?.[0])
                event.currentTarget.value = ''
              }}
            />
            <Button variant="default" onClick={() => file.current?.click()}>
              Take a file
            </Button>
            {draft && (
              <Button
                variant="default"
                onClick={() => {
                  setDraft(undefined)
                  tell('The changes were dropped', '', () => setDraft(draft))
                }}
              >
                Discard
              </Button>
            )}
            <Button disabled={!canSave} onClick={() => setSaving(true)}>
              Save revision
            </Button>
          </>
        )}
      </div>
      {isOvertaken && draft.base !== null && (
        <Notice tone="care">
          v{base} was saved while you were editing v{draft.base}. Saving now makes your text the next version and leaves
          out what v{base} changed; compare them in the save dialog.
        </Notice>
      )}
      <div className={classes.panes}>
        {/* A dropped file takes the place of the whole text; the editor alone would put it in at the pointer. */}
        <div
          className={classes.text}
          onDropCapture={(event: DragEvent) => {
            const [dropped] = event.dataTransfer.files
            if (!dropped || !mayWrite) return
            event.preventDefault()
            event.stopPropagation()
            void read(dropped)
          }}
        >
          <YamlEditor
            label={name === null ? 'New ruleset' : `Text of ${name}`}
            value={text}
            onChange={mayWrite ? write : undefined}
            diagnostics={checked?.diagnostics}
            handle={editor}
            startLine={line}
          />
        </div>
        <Outline
          key={replaced.times}
          checked={isCurrent || text !== replaced.by ? checked : undefined}
          problem={check.isError ? wordsFor(check.error) : undefined}
          onGo={(line, column) => editor.current?.goTo(line, column)}
        />
      </div>
      {isSaving && checked?.name && (
        <SaveRevision
          yaml={text}
          name={checked.name}
          editedName={name}
          rules={counted(checked.outline?.rules.length ?? 0, 'rule')}
          onClose={() => setSaving(false)}
          onSaved={({ ruleset }) => {
            setSaving(false)
            setDraft(undefined)
            void navigate({
              to: '/rulesets/$name',
              params: { name: ruleset },
              search: ({ environment }) => ({ environment }),
            })
          }}
        />
      )}
    </div>
  )
}
