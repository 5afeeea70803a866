import type { RulesetRevision } from '@countersign/wire'
import { Button, Modal, Textarea } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { ApiProblem, wordsFor } from '../../api/problem.ts'
import { Notice } from '../../ui/notice.tsx'
import { tell } from '../../ui/tell.tsx'
import { YamlDiff } from '../../ui/yaml/yaml-diff.tsx'
import classes from './editor.module.css'
import { revisionQuery, rulesetQuery } from './queries.ts'

type Props = {
  readonly yaml: string
  /** What the text calls itself. */
  readonly name: string
  readonly editedName: string | null
  readonly rules: string
  readonly onClose: () => void
  readonly onSaved: (revision: RulesetRevision) => void
}

export function SaveRevision({ yaml, name, editedName, rules, onClose, onSaved }: Props) {
  const client = useQueryClient()
  const [note, setNote] = useState('')
  const existing = useQuery({
    ...rulesetQuery(name),
    retry: (failures, error) => failures < 2 && !(error instanceof ApiProblem && error.status === 404),
  })
  const latest = existing.data?.latest.version
  const before = useQuery({ ...revisionQuery(name, latest ?? 1), enabled: latest !== undefined })
  const save = useMutation({
    mutationFn: () =>
      api.post<RulesetRevision>('/rulesets', { yaml, ...(note.trim() !== '' && { note: note.trim() }) }),
    onSuccess: async (revision) => {
      await Promise.all([
        client.invalidateQueries({ queryKey: ['rulesets'] }),
        client.invalidateQueries({ queryKey: ['ruleset-check'] }),
      ])
      tell(`v${revision.version} of ${revision.ruleset} is saved`, 'No agent runs it until it is rolled out.')
      onSaved(revision)
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    save.mutate()
  }
  const next = latest === undefined ? 1 : latest + 1
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Save v${next} of ${name}`}
      size={880}
      yOffset="7vh"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form className={classes.form} onSubmit={submit}>
        <p className={classes.lead}>
          {latest === undefined
            ? `A new ruleset with ${rules}.`
            : `A new revision with ${rules}; revisions are kept as they are for good.`}{' '}
          Agents keep what is live until this one is rolled out.
        </p>
        {editedName !== null && editedName !== name && (
          <Notice tone="care" title={`This is saved as ${name}, not as ${editedName}`}>
            The name in the text decides. {editedName} stays as it is.
          </Notice>
        )}
        {before.data && (
          <div className={classes.diff}>
            <YamlDiff
              before={before.data.source}
              after={yaml}
              beforeLabel={`v${before.data.version}`}
              afterLabel="the new text"
            />
          </div>
        )}
        <Textarea
          label="Note"
          description="Why, for whoever reads the history."
          placeholder="Refunds above 100 wait for a person"
          maxLength={2000}
          autosize
          minRows={2}
          maxRows={6}
          data-autofocus
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        {save.isError && <Notice tone="bad">{wordsFor(save.error)}</Notice>}
        <div className={classes.actions}>
          <Button variant="default" onClick={onClose}>
            Keep editing
          </Button>
          <Button type="submit" loading={save.isPending}>
            Save v{next}
          </Button>
        </div>
      </form>
    </Modal>
  )
}
