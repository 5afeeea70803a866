import { readSort, type Sort } from '../../ui/data-table/columns.ts'

export type TokensSearch = {
  readonly sort?: Sort
  /** Words in name, prefix or owner. */
  readonly q?: string
  /** With the revoked ones. */
  readonly revoked?: boolean
  /** The token whose drawer is open. */
  readonly token?: string
  /** The dialog that makes one. */
  readonly make?: boolean
}

export function readSearch(search: Record<string, unknown>): TokensSearch {
  const { q, revoked, token, make } = search
  return {
    ...((typeof q === 'string' || typeof q === 'number') && q !== '' && { q: String(q) }),
    ...(revoked === true && { revoked }),
    ...(typeof token === 'string' && token !== '' && { token }),
    ...(make === true && { make }),
    ...readSort(search['sort']),
  }
}
