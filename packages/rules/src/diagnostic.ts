import { diagnosticsMax } from './limits.ts'
import { remedies } from './remedies.ts'

/** A half-open piece of the text, in UTF-16 units, which is what editors count in. */
export interface Span {
  readonly start: number
  readonly end: number
}

export type Severity = 'error' | 'warning'

/** Lines and columns are counted from 1, columns in UTF-16 units; `endLine`/`endColumn` point behind the last unit. */
export interface Diagnostic {
  readonly severity: Severity
  readonly code: string
  readonly message: string
  /** JSON pointer into the document as written. */
  readonly path: string
  readonly line: number
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
  readonly offset: number
  readonly endOffset: number
  readonly hint?: string
}

export interface Finding {
  readonly code: string
  readonly at: Span
  readonly path?: string
  readonly message: string
  readonly hint?: string
}

/** Collects findings of one document and turns offsets into lines and columns at the end. */
export interface Findings {
  readonly error: (finding: Finding) => void
  readonly warn: (finding: Finding) => void
  readonly hasErrors: () => boolean
  readonly list: () => readonly Diagnostic[]
}

export function collectFindings(text: string): Findings {
  const found: (Finding & { readonly severity: Severity })[] = []
  let errors = 0
  return {
    error: (finding) => {
      errors += 1
      if (errors <= diagnosticsMax) found.push({ ...finding, severity: 'error' })
    },
    warn: (finding) => {
      if (found.length < 2 * diagnosticsMax) found.push({ ...finding, severity: 'warning' })
    },
    hasErrors: () => errors > 0,
    list: () => {
      const place = placeIn(text)
      const sorted = found.toSorted((a, b) => a.at.start - b.at.start)
      const listed = sorted.map((finding) => toDiagnostic(finding, place))
      const last = listed.at(-1)
      if (errors > diagnosticsMax && last) {
        const message = `${errors - diagnosticsMax} more errors are not listed; correct these first.`
        listed.push({
          ...last,
          severity: 'error',
          code: 'doc.more',
          message,
          path: '',
        })
      }
      return listed
    },
  }
}

/** Offset to line and column, both from 1. */
export function placeIn(text: string): (offset: number) => { readonly line: number; readonly column: number } {
  const starts = lineStarts(text)
  return (offset) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
  }
}

/** JSON pointer, one step further. */
export function step(path: string, key: string | number): string {
  return `${path}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** For messages: a foreign text, shortened and on one line. */
export function quote(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text
  return JSON.stringify(short)
}

function toDiagnostic(
  { severity, code, message, path, at, hint }: Finding & { readonly severity: Severity },
  place: ReturnType<typeof placeIn>,
): Diagnostic {
  const from = place(at.start)
  const to = place(Math.max(at.start, at.end))
  const remedy = hint ?? (Object.hasOwn(remedies, code) ? remedies[code] : undefined)
  return {
    severity,
    code,
    message,
    path: path ?? '',
    line: from.line,
    column: from.column,
    endLine: to.line,
    endColumn: to.column,
    offset: at.start,
    endOffset: Math.max(at.start, at.end),
    ...(remedy === undefined ? {} : { hint: remedy }),
  }
}

function lineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
