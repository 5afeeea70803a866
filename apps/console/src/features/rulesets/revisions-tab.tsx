import type { RulesetRevision, RulesetSummary } from '@countersign/wire'
import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Listing } from '../../ui/listing.tsx'
import { usePages } from '../../ui/pages.ts'
import { PrincipalChip } from '../../ui/principal-chip.tsx'
import { RevisionChip } from '../../ui/revision-chip.tsx'
import ui from '../../ui/ui.module.css'
import whole from '../../ui/whole.module.css'
import { CompareRevisions } from './compare-revisions.tsx'
import { revisionsQuery } from './queries.ts'
import { RevisionDrawer } from './revision-drawer.tsx'
import { rulesetRoute } from './route.ts'
import type { RulesetSearch } from './search.ts'

const columns: readonly Column<RulesetRevision>[] = [
  {
    id: 'version',
    header: 'Revision',
    width: '150px',
    isFixed: true,
    cell: ({ hash, version }) => <RevisionChip hash={hash} version={version} />,
  },
  {
    id: 'live',
    header: 'Live in',
    width: 'minmax(110px, 1fr)',
    isFixed: true,
    cell: ({ live_in }) => live_in.map((environment) => <EnvironmentTag key={environment} name={environment} />),
  },
  { id: 'rules', header: 'Rules', width: '64px', align: 'end', isWideOnly: true, cell: ({ rule_count }) => rule_count },
  {
    id: 'note',
    header: 'Note',
    width: 'minmax(160px, 2fr)',
    isWideOnly: true,
    cell: ({ note }) => <span className={ui.cut}>{note ?? ''}</span>,
  },
  {
    id: 'by',
    header: 'By',
    width: 'minmax(140px, 1fr)',
    isWideOnly: true,
    cell: ({ uploaded_by }) => <PrincipalChip who={uploaded_by} />,
  },
  { id: 'at', header: 'Saved', width: '100px', cell: ({ uploaded_at }) => <Instant at={uploaded_at} /> },
]

/** Every version there ever was; two of them chosen are compared. */
export function RevisionsTab({ ruleset: { name, revision_count } }: { readonly ruleset: RulesetSummary }) {
  const { revision, from, to } = rulesetRoute.useSearch()
  const navigate = useNavigate()
  const list = useInfiniteQuery(revisionsQuery(name))
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const { rows, onEnd } = usePages(list)
  const go = (change: Partial<RulesetSearch>): void => {
    void navigate({
      to: '/rulesets/$name',
      params: { name },
      search: ({ environment }) => ({ environment, tab: 'revisions', ...change }),
    })
  }
  if (from !== undefined && to !== undefined) {
    return (
      <CompareRevisions
        name={name}
        from={from}
        to={to}
        onChange={(older, newer) => go({ from: older, to: newer })}
        onClose={() => go({})}
      />
    )
  }
  const chosen = [...selected].map(Number).toSorted((a, b) => a - b)
  const [older, newer] = chosen
  return (
    <div className={whole.whole}>
      <div className={whole.bar}>
        <span className={ui.faint} role="status">
          {chosen.length === 0
            ? 'Select two to compare them.'
            : chosen.length === 1
              ? `v${older} and one more to compare.`
              : chosen.length === 2
                ? `v${older} and v${newer}`
                : `${chosen.length} are selected; two can be compared.`}
        </span>
        <Button
          variant="default"
          disabled={chosen.length !== 2}
          onClick={() => {
            if (older !== undefined && newer !== undefined) go({ from: older, to: newer })
          }}
        >
          Compare
        </Button>
      </div>
      <Listing list={list} hasRows={rows.length > 0} what="The revisions" empty={null}>
        <DataTable
          label={`Revisions of ${name}`}
          columns={columns}
          rows={rows}
          total={revision_count}
          rowId={({ version }) => String(version)}
          selection={{ ids: selected, onChange: setSelected }}
          openId={revision === undefined ? undefined : String(revision)}
          onOpen={({ version }) => go({ revision: version })}
          onEnd={onEnd}
        />
      </Listing>
      {revision !== undefined && (
        <RevisionDrawer
          name={name}
          version={revision}
          onClose={() => go({})}
          onCompare={(before) => go({ from: before, to: revision })}
        />
      )}
    </div>
  )
}
