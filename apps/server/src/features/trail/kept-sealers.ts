import type { Clock, Stop } from '../../kernel/clock.ts'
import type { Db } from '../../kernel/db.ts'
import {
  type KeySealing,
  readSealers,
  type Sealer,
  type Sealers,
  sealerId,
  type Unsealed,
  wantedKeys,
} from './subject-keys.ts'

type Needs = {
  readonly db: Pick<Db, 'inTx'>
  readonly clock: Pick<Clock, 'now' | 'after'>
  readonly keyring: KeySealing
}

export type KeptSealers = {
  /** Those that the entries need, from memory or from the database. */
  readonly for: (entries: readonly Unsealed[]) => Promise<Sealers>
  readonly forget: () => void
}

/** A key that was erased is gone from every process after this at the latest. */
const keptMs = 60_000
const keptMax = 10_000

/** Keys of those who call often, so that one more call of theirs asks the database only once. */
export function keepSealers({ db, clock, keyring }: Needs): KeptSealers {
  const kept = new Map<string, Sealer>()
  let stop: Stop | undefined

  const forget = (): void => {
    kept.clear()
    stop?.()
    stop = undefined
  }

  const keep = (found: Sealers): void => {
    if (kept.size + found.size > keptMax) forget()
    for (const [id, sealer] of found) kept.set(id, sealer)
    stop ??= clock.after(keptMs, forget)
  }

  return {
    for: async (entries) => {
      // Of its own, since what is kept may be forgotten while the rest is read.
      const needed = new Map<string, Sealer>()
      for (const { tenant, parts } of entries) {
        for (const { dataSubject } of parts) {
          const id = sealerId(tenant, dataSubject)
          const sealer = needed.has(id) ? undefined : kept.get(id)
          if (sealer) needed.set(id, sealer)
        }
      }
      const wanted = wantedKeys(entries, needed)
      if (wanted.size === 0) return needed
      const found = await db.inTx((tx) => readSealers(tx, keyring, wanted, clock.now()))
      keep(found)
      return new Map([...needed, ...found])
    },
    forget,
  }
}
