import type { Baseline } from '@countersign/wire'
import { Select } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { CrossIcon, SortUpIcon } from '../../ui/icons.tsx'
import { PageLink } from '../../ui/page-link.tsx'
import ui from '../../ui/ui.module.css'
import { revisionsQuery } from '../rulesets/queries.ts'
import classes from './baselines.module.css'

type Props = {
  readonly baseline: Baseline
  readonly isEditable: boolean
  readonly onVersion: (version: number) => void
  readonly onUp: (() => void) | undefined
  readonly onRemove: () => void
}

export function BaselineRow({ baseline: { ruleset, version }, isEditable, onVersion, onUp, onRemove }: Props) {
  const revisions = useInfiniteQuery(revisionsQuery(ruleset))
  const known = revisions.data?.pages.flatMap(({ items }) => items) ?? []
  const versions = [...new Set([version, ...known.map((one) => one.version)])].toSorted((a, b) => b - a)
  return (
    <li className={classes.baseline}>
      <PageLink to={`/rulesets/${ruleset}`} className={classes.name}>
        {ruleset}
      </PageLink>
      {isEditable ? (
        <>
          <Select
            aria-label={`Version of ${ruleset}`}
            className={classes.version}
            data={versions.map((one) => ({ value: String(one), label: `v${one}` }))}
            value={String(version)}
            onChange={(value) => value !== null && onVersion(Number(value))}
          />
          <button
            type="button"
            className={ui.iconButton}
            aria-label={`Move ${ruleset} up`}
            disabled={!onUp}
            onClick={onUp}
          >
            <SortUpIcon size={14} />
          </button>
          <button type="button" className={ui.iconButton} aria-label={`Remove ${ruleset}`} onClick={onRemove}>
            <CrossIcon size={14} />
          </button>
        </>
      ) : (
        <code>v{version}</code>
      )}
    </li>
  )
}
