export function isInRanges(ranges: readonly (readonly [number, number])[], point: number): boolean {
  return ranges.some(([low, high]) => point >= low && point <= high)
}
