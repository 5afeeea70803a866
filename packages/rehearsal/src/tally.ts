import type { JsonValue } from '@countersign/rules'

export type Change = 'newlyBlocked' | 'newlyHeld' | 'newlyAllowed' | 'same' | 'undecided'
export type ChangeCounts = Record<Change, number>

export const noChanges: Readonly<ChangeCounts> = {
  newlyBlocked: 0,
  newlyHeld: 0,
  newlyAllowed: 0,
  same: 0,
  undecided: 0,
}

interface Words {
  readonly verdict: string
  readonly rule: string | undefined
}

/** One recorded call that stands for all that are the same. */
export interface Sample {
  readonly change: Change
  readonly rule: string | undefined
  readonly eventId: string
  readonly atMs: number
  readonly agent: string
  readonly environment: string
  readonly tool: string
  readonly args: JsonValue
  readonly was: Words
  readonly now: Words & { readonly message: string | undefined }
  readonly why: string | undefined
  readonly count: number
}

export function addTo(counts: ChangeCounts, change: Change, count: number): void {
  counts[change] += count
}

const rulesMax = 500
const toolsMax = 200
const samplesMax = 200
const samplesPerKind = 5
/** Different words that may be counted: tools and rules are named by agents. */
const namesMax = 10_000

interface Settled {
  readonly change: Change | 'skipped'
  readonly sample: Omit<Sample, 'count'>
  readonly observed: readonly string[]
  readonly count: number
}

type RuleSums = Omit<ChangeCounts, 'same'> & { observed: number }

/** Adds groups of calls up, by rule and by tool, and keeps the most frequent of each kind to show. */
export function tallySheet() {
  const counts: ChangeCounts = { ...noChanges }
  const rules = new Map<string, RuleSums>()
  const tools = new Map<string, ChangeCounts>()
  const samples = new Map<string, Sample[]>()
  let skipped = 0

  return {
    add: ({ change, sample, observed, count }: Settled): void => {
      if (change === 'skipped') {
        skipped += count
        return
      }
      addTo(counts, change, count)
      const tool = named(tools, sample.tool, () => ({ ...noChanges }))
      if (tool) addTo(tool, change, count)
      for (const rule of observed) {
        const sums = named(rules, rule, noSums)
        if (sums) sums.observed += count
      }
      if (change === 'same') return
      const sums = named(rules, sample.rule ?? '', noSums)
      if (sums) sums[change] += count
      keep(samples, { ...sample, count })
    },
    end: () => ({
      counts,
      skipped,
      rules: [...rules]
        .map(([rule, sums]) => ({ rule, ...sums }))
        .sort((a, b) => weight(b) - weight(a) || b.observed - a.observed || compare(a.rule, b.rule))
        .slice(0, rulesMax),
      tools: [...tools]
        .map(([tool, sums]) => ({ tool, ...sums }))
        .sort((a, b) => weight(b) - weight(a) || b.same - a.same || compare(a.tool, b.tool))
        .slice(0, toolsMax),
      samples: shown(samples),
    }),
  }
}

function noSums(): RuleSums {
  return { newlyBlocked: 0, newlyHeld: 0, newlyAllowed: 0, undecided: 0, observed: 0 }
}

function named<Sums>(sums: Map<string, Sums>, name: string, make: () => Sums): Sums | undefined {
  const known = sums.get(name)
  if (known || sums.size >= namesMax) return known
  const made = make()
  sums.set(name, made)
  return made
}

function keep(samples: Map<string, Sample[]>, sample: Sample): void {
  const kind = named(samples, `${sample.change} ${sample.rule ?? ''}`, () => [])
  if (!kind) return
  // A group that was set aside when there were too many comes again under the same call.
  const last = kind.at(-1)
  if (kind.length >= samplesPerKind && last && last.count >= sample.count) return
  kind.push(sample)
  kind.sort((a, b) => b.count - a.count || a.atMs - b.atMs)
  kind.length = Math.min(kind.length, samplesPerKind)
}

const order: Readonly<Record<Change, number>> = {
  newlyBlocked: 0,
  newlyHeld: 1,
  newlyAllowed: 2,
  undecided: 3,
  same: 4,
}

/** The first of every kind before the second of any, so that no rule is missing because another is frequent. */
function shown(samples: ReadonlyMap<string, readonly Sample[]>): readonly Sample[] {
  const kinds = [...samples.values()]
  const picked: Sample[] = []
  for (let rank = 0; rank < samplesPerKind; rank += 1) {
    for (const kind of kinds) {
      const sample = kind[rank]
      if (sample && picked.length < samplesMax) picked.push(sample)
    }
  }
  return picked.sort((a, b) => order[a.change] - order[b.change] || b.count - a.count || a.atMs - b.atMs)
}

function weight(sums: Omit<ChangeCounts, 'same'>): number {
  return sums.newlyBlocked + sums.newlyHeld + sums.newlyAllowed + sums.undecided
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
