export const tabs = ['rules', 'compositions', 'templates'] as const
export type Tab = (typeof tabs)[number]

export type LibrarySearch = {
  readonly tab?: Tab
  readonly q?: string
  /** The rule whose drawer is open. */
  readonly rule?: string
  /** The form for a new rule or a new composition is open. */
  readonly new?: boolean
  /** The composition that is worked on, in place of their list. */
  readonly composition?: string
}

export function readSearch(search: Record<string, unknown>): LibrarySearch {
  const tab = tabs.find((known) => known === search['tab'])
  const q = textIn(search['q'])
  const rule = textIn(search['rule'])
  const composition = textIn(search['composition'])
  return {
    ...(tab && tab !== 'rules' && { tab }),
    ...(q !== undefined && { q }),
    ...(rule !== undefined && { rule }),
    ...(composition !== undefined && { composition }),
    ...(search['new'] === true && { new: true }),
  }
}

function textIn(value: unknown): string | undefined {
  return (typeof value === 'string' || typeof value === 'number') && value !== '' ? String(value) : undefined
}
