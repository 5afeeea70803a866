const grouped = new Intl.NumberFormat('en-US')

/** Above 9,999 grouped, below it plain: 1204, 12,040. */
export function countWords(count: number): string {
  return Math.abs(count) > 9999 ? grouped.format(count) : String(count)
}

/** `1 agent`, `12,040 agents`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${countWords(count)} ${count === 1 ? one : many}`
}
