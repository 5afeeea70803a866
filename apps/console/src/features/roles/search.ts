export type RolesSearch = {
  /** The role whose drawer is open. */
  readonly open?: string
  /** The drawer that makes one. */
  readonly new?: boolean
}

export function readSearch(search: Record<string, unknown>): RolesSearch {
  const { open } = search
  return {
    ...(typeof open === 'string' && open !== '' && { open }),
    ...(search['new'] === true && { new: true }),
  }
}
