import { Button, Select } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Failed, Loading } from '../../ui/list-states.tsx'
import whole from '../../ui/whole.module.css'
import { DiffView } from './diff-view.tsx'
import { diffQuery, revisionsQuery } from './queries.ts'
import classes from './revisions.module.css'

type Props = {
  readonly name: string
  readonly from: number
  readonly to: number
  readonly onChange: (from: number, to: number) => void
  readonly onClose: () => void
}

export function CompareRevisions({ name, from, to, onChange, onClose }: Props) {
  const diff = useQuery(diffQuery(name, from, to))
  const revisions = useInfiniteQuery(revisionsQuery(name))
  const known = revisions.data?.pages.flatMap(({ items }) => items.map(({ version }) => version)) ?? []
  const choices = [...new Set([from, to, ...known])]
    .toSorted((a, b) => b - a)
    .map((version) => ({ value: String(version), label: `v${version}` }))
  return (
    <div>
      <div className={whole.bar}>
        <span>Compare</span>
        <Select
          aria-label="Older revision"
          className={classes.version}
          data={choices}
          value={String(from)}
          onChange={(value) => onChange(Number(value ?? from), to)}
        />
        <span>with</span>
        <Select
          aria-label="Newer revision"
          className={classes.version}
          data={choices}
          value={String(to)}
          onChange={(value) => onChange(from, Number(value ?? to))}
        />
        <Button variant="default" onClick={() => onChange(to, from)}>
          Swap
        </Button>
        <span className={classes.grow} />
        <Button variant="default" onClick={onClose}>
          All revisions
        </Button>
      </div>
      <div className={classes.compare}>
        {diff.isPending && <Loading rows={5} />}
        {diff.isError && (
          <Failed what="They could not be compared" error={diff.error} onRetry={() => void diff.refetch()} />
        )}
        {diff.data && (
          <DiffView
            title={`v${from} → v${to}`}
            semantic={diff.data.semantic}
            before={{ label: `v${from}`, yaml: diff.data.before_yaml }}
            after={{ label: `v${to}`, yaml: diff.data.after_yaml }}
          />
        )}
      </div>
    </div>
  )
}
