/** What a check says about a place in a text; the same the server answers with. */
export type YamlDiagnostic = {
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly hint?: string
  readonly line: number
  readonly column: number
  readonly offset: number
  readonly end_offset: number
}
