/** Entries from `first` up to `beyond`, whole tiles: what is archived and removed together. */
export type Span = {
  readonly first: number
  readonly beyond: number
  readonly oldestAt: Date
  readonly newestAt: Date
}

/** How far a removal is: planned, then archived and read back, then removed. */
export type Removal = Span & {
  readonly id: string
  readonly retentionDays: number
  readonly bucket: string
  readonly chainId: string
  readonly key: string
  readonly attempts: number
  readonly nextAttemptAt: Date
  readonly lastError: string | null
  readonly archivedAt: Date | null
  readonly sha256: Buffer | null
  readonly bytes: number | null
  readonly lockedUntil: Date | null
  readonly removedAt: Date | null
}

/** While it stands, entries of its time stay, whatever their age. Half open; null is without a beginning or an end. */
export type Hold = {
  readonly id: string
  readonly heldFrom: Date | null
  readonly heldUntil: Date | null
}

/** The hold that keeps a span, if any does. The one that lasts longest, so that a search can pass by all it keeps. */
export function holdOn(
  { oldestAt, newestAt }: Omit<Span, 'first' | 'beyond'>,
  holds: readonly Hold[],
): Hold | undefined {
  const keeping = holds.filter(
    ({ heldFrom, heldUntil }) =>
      (heldFrom === null || heldFrom <= newestAt) && (heldUntil === null || heldUntil > oldestAt),
  )
  const endOf = ({ heldUntil }: Hold): number => heldUntil?.getTime() ?? Number.POSITIVE_INFINITY
  return keeping.toSorted((a, b) => endOf(b) - endOf(a))[0]
}

export function dueAt({ newestAt }: Pick<Span, 'newestAt'>, retentionDays: number): Date {
  return new Date(newestAt.getTime() + retentionDays * 86_400_000)
}
