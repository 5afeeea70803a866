import { type Fault, hexOf, type Verification } from '@countersign/trail'

/** What is wrong besides the entries themselves. */
export type OtherFault = {
  readonly is:
    | 'copy_differs'
    | 'uncounted'
    | 'unguarded'
    | 'unreadable'
    | 'mac_missing'
    | 'mac_wrong'
    | 'mac_unknown'
    | 'checkpoint_differs'
    | 'tile_differs'
    | 'stub_differs'
    | 'lost'
    | 'orphan'
  readonly number: number | null
  readonly says: string
}

export type MacReport = {
  readonly good: number
  readonly wrong: number
  /** Made with a secret that was not given: an older one, perhaps. */
  readonly unknown_key: number
  /** Entries without one. */
  readonly missing: number
}

/** What a stub says was removed, and whether an archive of it was at hand and holds exactly that. */
export type RemovedReport = {
  readonly first: number
  readonly last: number
  readonly removed_at: string
  readonly archive_key: string
  readonly archive_sha256: string
  readonly is_restored: boolean
}

export type Report = {
  readonly ok: boolean
  readonly entries: number
  readonly hidden: number
  readonly size: number
  readonly root: string
  readonly heads_compared: number
  /** How many heads from elsewhere were among them: without one, a change by somebody with full rights may be missed. */
  readonly heads_given: number
  readonly waiting: number
  /** Only when secrets for them were given. */
  readonly macs?: MacReport
  /** Spans that were removed after their time, each with its signed stub; only when there are any. */
  readonly removed?: readonly RemovedReport[]
  readonly fault_count: number
  readonly faults: readonly (Fault | OtherFault)[]
}

export const faultsMax = 100

export function makeReport(
  found: Verification,
  more: {
    readonly others: readonly OtherFault[]
    readonly otherCount: number
    readonly headsGiven: number
    readonly waiting: number
    readonly macs?: MacReport | undefined
    readonly removed?: readonly RemovedReport[]
  },
): Report {
  const faultCount = found.faultCount + more.otherCount
  return {
    ok: faultCount === 0,
    entries: found.entries,
    hidden: found.hidden,
    size: found.head.size,
    root: hexOf(found.head.root),
    heads_compared: found.headsCompared,
    heads_given: more.headsGiven,
    waiting: more.waiting,
    ...(more.macs && { macs: more.macs }),
    ...(more.removed && more.removed.length > 0 && { removed: more.removed }),
    fault_count: faultCount,
    faults: [...found.faults, ...more.others].slice(0, faultsMax),
  }
}

export function reportText(report: Report): string {
  const lines = [
    `${count(report.entries, 'entry', 'entries')} recomputed${report.hidden > 0 ? `, ${report.hidden} of them from their leaf only` : ''}; ${count(report.heads_compared, 'head', 'heads')} compared.`,
  ]
  if (report.waiting > 0) lines.push(`${count(report.waiting, 'entry has', 'entries have')} no number yet.`)
  if (report.macs) lines.push(macText(report.macs))
  for (const span of report.removed ?? []) lines.push(removedText(span))
  if (report.ok) {
    lines.push(`Head: ${report.size}:${report.root}`, 'Nothing was changed.')
    if (report.heads_given === 0 && report.size > 0) {
      lines.push(
        'Keep the head elsewhere and give it with --head next time: only that finds what somebody with full rights over the database did.',
      )
    }
  } else {
    lines.push(`${count(report.fault_count, 'fault', 'faults')}:`, ...report.faults.map((fault) => `  ${fault.says}`))
    if (report.fault_count > report.faults.length)
      lines.push(`  and ${report.fault_count - report.faults.length} more.`)
  }
  return `${lines.join('\n')}\n`
}

function removedText({
  first,
  last,
  removed_at: at,
  archive_key: key,
  is_restored: isRestored,
}: RemovedReport): string {
  const found = isRestored ? 'the archive you gave holds exactly them' : 'give it with --archive to check them too'
  return `Entries ${first} to ${last} were removed after their time on ${at.slice(0, 10)} and archived as ${key}; ${found}.`
}

function macText({ good, wrong, unknown_key: unknown, missing }: MacReport): string {
  const parts = [
    `${good} right`,
    ...(wrong > 0 ? [`${wrong} wrong`] : []),
    ...(unknown > 0 ? [`${unknown} made with a secret that was not given`] : []),
    ...(missing > 0 ? [`${count(missing, 'entry has', 'entries have')} none`] : []),
  ]
  return `MACs: ${parts.join(', ')}.`
}

function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`
}
