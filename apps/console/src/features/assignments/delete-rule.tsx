import type { AssignmentRule } from '@countersign/wire'
import { Button, Modal } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { Notice } from '../../ui/notice.tsx'
import { tell, tellFailure } from '../../ui/tell.tsx'
import classes from './assignments.module.css'
import { PreviewChanges } from './preview-changes.tsx'
import { previewQuery } from './queries.ts'

type Props = { readonly rule: AssignmentRule; readonly onClose: () => void; readonly onDone: () => void }

/** A rule can be made again, so its name need not be typed; whom it would move is shown first all the same. */
export function DeleteRule({ rule, onClose, onDone }: Props) {
  const client = useQueryClient()
  const preview = useQuery(previewQuery(rule.id, undefined))
  const refresh = () => client.invalidateQueries({ queryKey: ['assignments'] })
  const remove = useMutation({
    mutationFn: () => api.delete(`/assignment-rules/${rule.id}`),
    onSuccess: () => {
      const { priority, pattern, tag_match, environment, ruleset } = rule
      tell(`The rule ${pattern} was deleted`, '', () => {
        api
          .post('/assignment-rules', { priority, pattern, tag_match, environment, ruleset })
          .catch((error: unknown) => tellFailure('The rule was not made again', wordsFor(error)))
          .finally(() => void refresh())
      })
      onDone()
    },
    onSettled: refresh,
  })
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Delete the rule ${rule.pattern}`}
      size={520}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <div className={classes.form}>
        <PreviewChanges
          preview={preview.data}
          isCurrent={preview.isSuccess}
          error={preview.error}
          withMatched={false}
        />
        {remove.isError && <Notice tone="bad">{wordsFor(remove.error)}</Notice>}
        <div className={classes.acts}>
          <span className={classes.grow} />
          <Button variant="default" onClick={onClose}>
            Keep it
          </Button>
          <Button
            className={classes.destructive}
            disabled={!preview.isSuccess}
            loading={remove.isPending}
            onClick={() => remove.mutate()}
          >
            Delete the rule
          </Button>
        </div>
      </div>
    </Modal>
  )
}
