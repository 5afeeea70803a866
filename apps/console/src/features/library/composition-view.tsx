import type { Composition, CompositionPreview } from '@countersign/wire'
import { Button, SegmentedControl } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useCan } from '../../api/session.ts'
import { ConfirmDestructive } from '../../ui/confirm-destructive.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { counted } from '../../ui/numbers.ts'
import { PageLink } from '../../ui/page-link.tsx'
import { tell, tellFailure } from '../../ui/tell.tsx'
import ui from '../../ui/ui.module.css'
import whole from '../../ui/whole.module.css'
import { YamlEditor } from '../../ui/yaml/yaml-editor.tsx'
import { CompositionItems } from './composition-items.tsx'
import classes from './library.module.css'
import { compositionPath, compositionQuery, previewQuery } from './queries.ts'
import { useCompositionChange } from './use-composition-change.ts'

type Props = { readonly name: string; readonly onClose: () => void }

/** Rules in their order beside the text they make. */
export function CompositionView({ name, onClose }: Props) {
  const { data, error, isError, refetch } = useQuery(compositionQuery(name))
  if (isError && !data)
    return <Failed what={`${name} could not be read`} error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading rows={6} />
  return <Opened composition={data} onClose={onClose} />
}

function Opened({ composition, onClose }: { readonly composition: Composition; readonly onClose: () => void }) {
  const { name, description, default_mode, items, edit } = composition
  const mayWrite = useCan('rulesets:write')
  const change = useCompositionChange(name)
  const preview = useQuery(previewQuery(name, edit))
  return (
    <div className={whole.whole}>
      <div className={whole.bar}>
        <h2 className={classes.name}>{name}</h2>
        {description !== null && <span className={ui.cutFaint}>{description}</span>}
        <span className={classes.grow} />
        <Button variant="default" onClick={onClose}>
          All compositions
        </Button>
        {mayWrite && <Remove name={name} onDone={onClose} />}
        {mayWrite && <Keep name={name} preview={preview.data} isBusy={change.isPending} hasRules={items.length > 0} />}
      </div>
      <div className={classes.panes}>
        <section className={classes.items} aria-label="Rules in their order">
          <div className={classes.line}>
            <h3>{counted(items.length, 'rule')}</h3>
            <span className={classes.grow} />
            <span className={ui.quiet}>unless a rule says otherwise</span>
            <SegmentedControl
              aria-label="Mode unless a rule says otherwise"
              value={default_mode}
              disabled={!mayWrite}
              onChange={(value) => change.mutate({ default_mode: value === 'observe' ? 'observe' : 'enforce' })}
              data={['enforce', 'observe']}
            />
          </div>
          <CompositionItems
            composition={composition}
            isReadOnly={!mayWrite}
            onChange={(next) => change.mutate({ items: next })}
          />
        </section>
        <section className={classes.preview} aria-label="The text it makes">
          <div className={classes.previewBar}>
            <PreviewStatus name={name} preview={preview.data} />
            <span className={classes.grow} />
            {preview.data && <CopyButton text={preview.data.yaml} what="the text" withWord />}
          </div>
          {preview.isError && !preview.data && (
            <Failed what="The text could not be made" error={preview.error} onRetry={() => void preview.refetch()} />
          )}
          {preview.data && (
            <div className={classes.previewText}>
              <YamlEditor label={`Text of ${name}`} value={preview.data.yaml} diagnostics={preview.data.diagnostics} />
            </div>
          )}
        </section>
      </div>
    </div>
  )
}

function PreviewStatus({ name, preview }: { readonly name: string; readonly preview: CompositionPreview | undefined }) {
  if (!preview) return <span className={ui.quiet}>Making the text</span>
  if (!preview.is_valid) {
    const [first] = preview.diagnostics
    return (
      <span className={classes.bad} role="status">
        {first ? `Line ${first.line}: ${first.message}` : 'The text has errors.'}
      </span>
    )
  }
  return (
    <span className={ui.quiet} role="status">
      {preview.same_as_version === null ? (
        `${counted(preview.rule_count, 'rule')}, not kept as a revision yet`
      ) : (
        <>
          The same text as{' '}
          <PageLink to={`/rulesets/${name}`} search={{ tab: 'revisions' }}>
            v{preview.same_as_version} of {name}
          </PageLink>
        </>
      )}
    </span>
  )
}

type KeepProps = {
  readonly name: string
  readonly preview: CompositionPreview | undefined
  readonly isBusy: boolean
  readonly hasRules: boolean
}

/** From here on it is a revision like any other: compared, replayed, reviewed and rolled out. */
function Keep({ name, preview, isBusy, hasRules }: KeepProps) {
  const client = useQueryClient()
  const navigate = useNavigate()
  const keep = useMutation({
    mutationFn: () =>
      api.post<{ readonly ruleset: string; readonly version: number }>(`${compositionPath(name)}/revisions`),
    onSuccess: async ({ ruleset, version }) => {
      await Promise.all(['rulesets', 'compositions'].map((key) => client.invalidateQueries({ queryKey: [key] })))
      tell(`v${version} of ${ruleset} is kept`, 'No agent runs it until it is rolled out.')
      await navigate({
        to: '/rulesets/$name',
        params: { name: ruleset },
        search: ({ environment }) => ({ environment, tab: 'rollouts', review: version }),
      })
    },
    onError: (error) => tellFailure('The revision was not made', wordsFor(error)),
  })
  const isSame = preview?.same_as_version != null
  return (
    <Button
      loading={keep.isPending}
      disabled={!hasRules || isBusy || preview?.is_valid !== true || isSame}
      onClick={() => keep.mutate()}
    >
      Make a revision
    </Button>
  )
}

function Remove({ name, onDone }: { readonly name: string; readonly onDone: () => void }) {
  const client = useQueryClient()
  const [isOpen, setOpen] = useState(false)
  const remove = useMutation({
    mutationFn: () => api.delete(compositionPath(name)),
    onSuccess: () => {
      tell(`${name} was removed`, 'Its rules stay in the library, and rulesets made of it stay as they are.')
      onDone()
    },
    onSettled: () =>
      Promise.all(['library', 'compositions'].map((key) => client.invalidateQueries({ queryKey: [key] }))),
  })
  return (
    <>
      <Button variant="default" className={classes.sharp} onClick={() => setOpen(true)}>
        Remove
      </Button>
      <ConfirmDestructive
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        title={`Remove ${name}`}
        name={name}
        action="Remove the composition"
        onConfirm={() => remove.mutate()}
        isBusy={remove.isPending}
        error={remove.error}
      >
        <p>The order and the modes are lost. Rules stay in the library, rulesets stay as they are.</p>
      </ConfirmDestructive>
    </>
  )
}
