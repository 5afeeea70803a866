/** One thing to tell about a place in a file. */
export type Finding = {
  readonly file: string
  readonly severity: 'error' | 'warning'
  readonly line: number
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
  readonly code: string
  readonly message: string
  readonly hint?: string | undefined
}

export const formats = ['text', 'json', 'github'] as const
export type Format = (typeof formats)[number]

/** `file:line:column`, which terminals and editors make a link of. */
export function asText({ file, line, column, severity, code, message, hint }: Finding): string {
  return `${file}:${line}:${column}: ${severity}: ${message} [${code}]${hint === undefined ? '' : `\n    ${hint}`}\n`
}

/** What GitHub shows beside the line of a pull request. */
export function asAnnotation(finding: Finding): string {
  const { file, severity, line, column, endLine, endColumn, code, message, hint } = finding
  const properties = {
    file,
    line,
    ...(endLine > line ? { endLine } : {}),
    col: column,
    // The end is told only on the same line: GitHub refuses columns of a range of lines.
    ...(endLine === line && endColumn > column ? { endColumn: endColumn - 1 } : {}),
    title: code,
  }
  const words = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(String(value))}`)
  return `::${severity} ${words.join(',')}::${escapeData(hint === undefined ? message : `${message}\n${hint}`)}\n`
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
