export type AnchorsSearch = {
  /** The sequence of the anchor whose drawer is open. */
  readonly anchor?: number
}

export function readSearch({ anchor }: Record<string, unknown>): AnchorsSearch {
  const sequence = typeof anchor === 'string' && /^\d{1,15}$/.test(anchor) ? Number(anchor) : anchor
  return typeof sequence === 'number' && Number.isSafeInteger(sequence) && sequence >= 0 ? { anchor: sequence } : {}
}
