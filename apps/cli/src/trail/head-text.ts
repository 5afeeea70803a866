import { hexOf, type RecordedHead } from '@countersign/trail'

/** A head on one line: `12345:9f86d081…`. */
export function headText({ size, root }: RecordedHead): string {
  return `${size}:${hexOf(root)}`
}

export function readHeadText(text: string): RecordedHead | undefined {
  const found = /^(0|[1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text.trim())
  if (!found) return undefined
  return { size: Number(found[1]), root: Buffer.from(found[2] ?? '', 'hex'), by: 'The head you gave' }
}
