import type { Sql } from '../../kernel/db.ts'
import { countEntries, findPage } from './list-table.ts'
import { type EntrySearch, type OpenedEntry, openEntries, scanEntries } from './scan-entries.ts'
import type { KeySealing } from './subject-keys.ts'

export type PageEntries = ReturnType<typeof pageEntries>

/** The trail by numbered pages and with a total, as older clients turn them: the newest first. */
export function pageEntries(needs: { readonly db: Sql; readonly keyring: KeySealing }) {
  return {
    page: async (
      tenant: string,
      search: Omit<EntrySearch, 'address'>,
      { limit, offset }: { readonly limit: number; readonly offset: number },
    ): Promise<{ readonly entries: readonly OpenedEntry[]; readonly total: number }> => {
      const [total, found] = await Promise.all([
        countEntries(needs.db, tenant, search),
        findPage(needs.db, tenant, search, limit, offset),
      ])
      return { entries: await openEntries(needs, tenant, found), total }
    },
    /** All of them, some at a time. */
    scan: (tenant: string, search: Omit<EntrySearch, 'address'>) => scanEntries(needs)(tenant, search, undefined),
  }
}
