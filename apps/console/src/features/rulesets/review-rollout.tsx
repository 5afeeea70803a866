import type { Rollout, RulesetSummary } from '@countersign/wire'
import { Button, Select } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { useEnvironments } from '../../api/session.ts'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { ConfirmRollout } from './confirm-rollout.tsx'
import { DiffView } from './diff-view.tsx'
import { FirstTime } from './first-time.tsx'
import { pathOf, revisionsQuery } from './queries.ts'
import { previewQuery } from './rollout-queries.ts'
import classes from './rollouts.module.css'

type Props = {
  readonly ruleset: RulesetSummary
  readonly version: number
  readonly environment: string | undefined
  readonly onChange: (version: number, environment: string | undefined) => void
  readonly onCancel: () => void
  readonly onDone: (rolloutId: string) => void
  readonly onObserved: () => void
}

/** A rollout is read before it is done: what changes, for whom, why. */
export function ReviewRollout({ ruleset, version, environment, onChange, onCancel, onDone, onObserved }: Props) {
  const { name } = ruleset
  const environments = useEnvironments()
  const revisions = useInfiniteQuery(revisionsQuery(name))
  const client = useQueryClient()
  const known = environments.some((one) => one.name === environment)
  const preview = useQuery({ ...previewQuery(name, version, environment ?? ''), enabled: known })
  const rollOut = useMutation({
    mutationFn: (note: string) =>
      api.post<Rollout>(`${pathOf(name)}/rollouts`, {
        version,
        environment,
        ...(note !== '' && { note }),
        expected_current_version: preview.data?.current?.version ?? null,
      }),
    onSuccess: async ({ id }) => {
      await client.invalidateQueries({ queryKey: ['rulesets'] })
      onDone(id)
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['rollouts'] }),
  })
  const versions = revisions.data?.pages.flatMap(({ items }) => items) ?? []
  const choices = [...new Set([version, ...versions.map((one) => one.version)])].toSorted((a, b) => b - a)
  const noteOf = (one: number): string => versions.find((revision) => revision.version === one)?.note ?? ''
  const { data } = preview
  return (
    <div className={classes.review}>
      <div className={classes.reviewHead}>
        <h2>Roll out</h2>
        <Select
          aria-label="Version"
          className={classes.versionChoice}
          data={choices.map((one) => ({
            value: String(one),
            label: noteOf(one) === '' ? `v${one}` : `v${one}: ${noteOf(one)}`,
          }))}
          value={String(version)}
          onChange={(value) => onChange(Number(value ?? version), environment)}
        />
        <span>to</span>
        <Select
          aria-label="Environment"
          placeholder="Choose where to"
          className={classes.environmentChoice}
          data={environments.map((one) => one.name)}
          value={known ? (environment ?? null) : null}
          onChange={(value) => onChange(version, value ?? undefined)}
        />
        <span className={classes.grow} />
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
      </div>
      {!known && (
        <p className={classes.choose}>
          Choose an environment to see what would change there and which agents it would reach. Nothing is rolled out
          before you confirm.
        </p>
      )}
      {known && preview.isError && !data && (
        <Failed what="It could not be previewed" error={preview.error} onRetry={() => void preview.refetch()} />
      )}
      {known && !data && !preview.isError && <Loading rows={6} />}
      {known && data && (
        <div className={classes.reviewPanes}>
          <div className={classes.reviewDiff}>
            {data.current && data.semantic ? (
              <DiffView
                title={
                  data.current.version === version
                    ? `v${version} is live in ${data.environment}`
                    : `${data.environment}: v${data.current.version} → v${version}`
                }
                semantic={data.semantic}
                before={{
                  label: `v${data.current.version}, live in ${data.environment}`,
                  yaml: data.before_yaml ?? '',
                }}
                after={{ label: `v${version}`, yaml: data.after_yaml }}
              />
            ) : (
              <FirstTime name={name} version={version} environment={data.environment} />
            )}
          </div>
          <ConfirmRollout
            key={`${data.environment} ${version}`}
            preview={data}
            isBusy={rollOut.isPending}
            error={rollOut.error}
            onConfirm={(note) => rollOut.mutate(note)}
            onObserved={onObserved}
          />
        </div>
      )}
    </div>
  )
}
