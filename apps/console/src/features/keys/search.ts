import { readSort, type Sort } from '../../ui/data-table/columns.ts'

export type KeysSearch = {
  readonly sort?: Sort
  /** Words in label or prefix. */
  readonly q?: string
  /** With the revoked ones. */
  readonly revoked?: boolean
  /** The key whose drawer is open. */
  readonly key?: string
  /** The dialog that makes one. */
  readonly make?: boolean
}

export function readSearch(search: Record<string, unknown>): KeysSearch {
  const { q, revoked, key, make } = search
  return {
    ...((typeof q === 'string' || typeof q === 'number') && q !== '' && { q: String(q) }),
    ...(revoked === true && { revoked }),
    ...(typeof key === 'string' && key !== '' && { key }),
    ...(make === true && { make }),
    ...readSort(search['sort']),
  }
}
