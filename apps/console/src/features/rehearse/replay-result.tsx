import type { ReplayDetail, ReplayResult, ReplayRule, ReplaySample } from '@countersign/wire'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { Histogram } from '../../ui/histogram/histogram.tsx'
import { FilteredToNothing } from '../../ui/list-states.tsx'
import { counted, countWords } from '../../ui/numbers.ts'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import classes from './rehearse.module.css'
import { type ChangeShown, changeMarks, changesShown, countsWords, ofCallsWords } from './replay-words.ts'
import { rehearseRoute } from './route.ts'
import { SampleDrawer } from './sample-drawer.tsx'

type Props = { readonly replay: ReplayDetail; readonly result: ReplayResult }

const chartWords = { blocked: 'Newly blocked', held: 'Newly held', allowed: 'Newly allowed', other: 'Undecided' }

/** What would change: in numbers that filter, over time, by rule, and call by call. */
export function ReplayResultView({ replay, result }: Props) {
  const { change, rule } = rehearseRoute.useSearch()
  const navigate = useNavigate()
  const { counts, histogram, assumptions, skipped } = result
  const filter = (next: { readonly change?: ChangeShown; readonly rule?: string }): void => {
    void navigate({
      to: '/rehearse',
      search: ({ environment }) => ({ environment, tab: 'replays', replay: replay.id, ...next }),
      replace: true,
    })
  }
  const hasChanges = changesShown.some((one) => counts[one] > 0)
  return (
    <>
      <div>
        <p className={classes.headline} role="status">
          {countsWords(counts)}.
        </p>
        <p className={ui.quiet}>
          {ofCallsWords(counts)}; {countWords(counts.same)} would end as they did.
          {skipped > 0 &&
            ` ${counted(skipped, 'call')} cannot be replayed and ${skipped === 1 ? 'is' : 'are'} left out.`}
        </p>
        <div className={classes.tiles}>
          {changesShown.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={change === one}
              disabled={counts[one] === 0}
              onClick={() => filter({ rule, ...(change !== one && { change: one }) })}
            >
              <b>{countWords(counts[one])}</b>
              <VerdictBadge {...changeMarks[one]} />
            </button>
          ))}
        </div>
      </div>
      {hasChanges && (
        <section aria-label="Over time">
          <h3>Over time</h3>
          <Histogram
            label="Changes over time"
            words={chartWords}
            bucketMs={histogram.bucket_seconds * 1000}
            buckets={histogram.buckets.map(({ at, newly_blocked, newly_held, newly_allowed, undecided }) => ({
              at,
              blocked: newly_blocked,
              held: newly_held,
              allowed: newly_allowed,
              other: undecided,
              observed: 0,
              failed: 0,
            }))}
          />
        </section>
      )}
      {result.rules.length > 0 && (
        <section aria-label="By rule">
          <h3>By rule</h3>
          <ByRule
            rules={result.rules}
            chosen={rule}
            onChoose={(next) => filter({ change, ...(next !== rule && { rule: next }) })}
          />
        </section>
      )}
      {result.samples.length > 0 && (
        <section aria-label="Samples">
          <h3>Samples</h3>
          <Samples replay={replay} samples={result.samples} change={change} rule={rule} onClear={() => filter({})} />
        </section>
      )}
      {assumptions.length > 0 && (
        <section aria-label="Assumptions">
          <h3>Taken for granted</h3>
          <ul className={classes.assumptions}>
            {assumptions.map((words) => (
              <li key={words}>{words}</li>
            ))}
          </ul>
        </section>
      )}
      <p className={ui.faint}>
        {countWords(Math.round(result.rows_per_second))} calls a second, of them{' '}
        {countWords(Math.round(result.distinct_per_second))} different.
      </p>
    </>
  )
}

const number = (name: string) => (count: number) =>
  count === 0 ? (
    <span className={ui.faint} title={name}>
      0
    </span>
  ) : (
    <>{countWords(count)}</>
  )

const ruleColumns: readonly Column<ReplayRule>[] = [
  {
    id: 'rule',
    header: 'Rule',
    width: 'minmax(120px, 2fr)',
    isFixed: true,
    cell: ({ rule }) => <code className={ui.cutMono}>{rule}</code>,
  },
  {
    id: 'blocked',
    header: 'Blocked',
    width: '72px',
    align: 'end',
    isFixed: true,
    cell: ({ newly_blocked }) => number('newly blocked')(newly_blocked),
  },
  {
    id: 'held',
    header: 'Held',
    width: '60px',
    align: 'end',
    isFixed: true,
    cell: ({ newly_held }) => number('newly held')(newly_held),
  },
  {
    id: 'allowed',
    header: 'Allowed',
    width: '72px',
    align: 'end',
    isFixed: true,
    cell: ({ newly_allowed }) => number('newly allowed')(newly_allowed),
  },
  {
    id: 'undecided',
    header: 'Undecided',
    width: '90px',
    align: 'end',
    isWideOnly: true,
    cell: ({ undecided }) => number('undecided')(undecided),
  },
  {
    id: 'observed',
    header: 'Only observed',
    width: '110px',
    align: 'end',
    isWideOnly: true,
    cell: ({ observed }) => number('only observed')(observed),
  },
]

type ByRuleProps = {
  readonly rules: readonly ReplayRule[]
  readonly chosen: string | undefined
  readonly onChoose: (rule: string) => void
}

function ByRule({ rules, chosen, onChoose }: ByRuleProps) {
  return (
    <DataTable
      label="Changes by rule"
      columns={ruleColumns}
      rows={rules}
      rowId={({ rule }) => rule}
      openId={chosen}
      onOpen={({ rule }) => onChoose(rule)}
      isInline
    />
  )
}

const sampleColumns: readonly Column<ReplaySample>[] = [
  {
    id: 'change',
    header: 'Change',
    width: '132px',
    isFixed: true,
    cell: ({ change }) => <VerdictBadge {...changeMarks[change]} />,
  },
  {
    id: 'tool',
    header: 'Tool',
    width: 'minmax(100px, 1fr)',
    isFixed: true,
    cell: ({ tool }) => <code className={ui.cutMono}>{tool}</code>,
  },
  {
    id: 'agent',
    header: 'Agent',
    width: 'minmax(110px, 1fr)',
    isWideOnly: true,
    cell: ({ agent_id }) => <code className={ui.cutMono}>{agent_id}</code>,
  },
  {
    id: 'why',
    header: 'Why',
    width: 'minmax(160px, 2.4fr)',
    isWideOnly: true,
    cell: ({ rule, now, why }) => (
      <>
        {rule !== null && <code className={ui.cutMono}>{rule}</code>}
        <span className={ui.cutFaint}>{why ?? now.message ?? ''}</span>
      </>
    ),
  },
  { id: 'count', header: 'Times', width: '64px', align: 'end', isFixed: true, cell: ({ count }) => countWords(count) },
]

type SamplesProps = {
  readonly replay: ReplayDetail
  readonly samples: readonly ReplaySample[]
  readonly change: ChangeShown | undefined
  readonly rule: string | undefined
  readonly onClear: () => void
}

const idOf = ({ event_id, change, rule }: ReplaySample): string => `${event_id} ${change} ${rule ?? ''}`

function Samples({ replay, samples, change, rule, onClear }: SamplesProps) {
  const [openId, setOpenId] = useState<string>()
  const rows = samples.filter(
    (one) =>
      one.change !== 'same' &&
      (change === undefined || one.change === change) &&
      (rule === undefined || one.rule === rule),
  )
  const open = rows.find((one) => idOf(one) === openId)
  if (rows.length === 0) return <FilteredToNothing what="samples" onClear={onClear} />
  return (
    <>
      {(change !== undefined || rule !== undefined) && (
        <p className={ui.quiet}>
          {counted(rows.length, 'sample')} {rule !== undefined && <>of {rule} </>}
          <button type="button" className={classes.more} onClick={onClear}>
            Show all
          </button>
        </p>
      )}
      <DataTable
        label="Samples"
        columns={sampleColumns}
        rows={rows}
        rowId={idOf}
        openId={openId}
        onOpen={(one) => setOpenId(idOf(one))}
        isInline
      />
      {open && <SampleDrawer sample={open} ruleset={replay.ruleset} onClose={() => setOpenId(undefined)} />}
    </>
  )
}
