import type { ObjectStore } from '../src/features/anchors/index.ts'
import { type RemoveExpired, removeExpired } from '../src/features/retention/index.ts'
import { type Act, logSigner, writeActs } from '../src/features/trail/index.ts'
import type { Sql } from '../src/kernel/db.ts'
import { idMaker } from '../src/kernel/ids.ts'
import { openAnchoredTrail } from './anchor-scene.ts'
import { keyCreated, tenant } from './trail-scene.ts'

const days = (count: number): number => count * 86_400_000

/**
 * An anchored trail whose entries are kept for thirty days. It lies in the past, since the database asks its own clock
 * whether a span has expired.
 */
export async function openRetention(
  store: ObjectStore,
  { bucket = 'anchors', chainId = 'test-chain', startsAt = '2021-03-01T10:00:00.000Z' } = {},
) {
  const scene = await openAnchoredTrail(store, { bucket, chainId, startsAt })
  const { db, clock, keyring } = scene
  const newId = idMaker(clock.now)
  const anchors = scene.open()
  let filled = 0
  const write = (tx: Sql, act: Act, id: string): Promise<void> =>
    writeActs(tx, { keyring }, [{ act, id, at: clock.now() }], clock.now())
  const open = (more: { store?: ObjectStore; retentionDays?: number; write?: typeof write } = {}): RemoveExpired =>
    removeExpired({
      db,
      clock,
      log: {
        info: () => undefined,
        warn: (_, text) => void scene.said.push(String(text)),
        error: (_, text) => void scene.said.push(String(text)),
      },
      store: more.store ?? store,
      policy: { retentionDays: more.retentionDays ?? 30, place: scene.place },
      newId,
      trail: { signer: logSigner(keyring), write: more.write ?? write },
    })
  return {
    ...scene,
    openRemoval: open,
    writeStub: write,
    newId,
    /** So many entries of this moment, numbered, signed and anchored. */
    fill: async (count: number): Promise<void> => {
      const acts = Array.from({ length: count }, () => {
        filled += 1
        const act = { ...keyCreated(filled), personal: { actor: { name: `Ada ${filled}` } } }
        return { act, id: newId(), at: clock.now() }
      })
      await writeActs(db, { keyring }, acts, clock.now())
      await scene.sequence()
      await scene.cut()
      const { is } = await anchors.writeNow()
      if (is !== 'written') throw new Error(`The anchor was not written: ${is}`)
    },
    pass: async (count: number): Promise<void> => {
      await clock.moveBy(days(count))
    },
    hold: async (from: string | null = null, until: string | null = null): Promise<string> => {
      const id = newId()
      await db.query(
        `insert into trail_holds (tenant_id, id, reason, held_from, held_until, placed_by, placed_at)
          values ($1, $2, 'case 17', $3, $4, $2, $5)`,
        [tenant, id, from, until, clock.now()],
      )
      return id
    },
    lift: (id: string) =>
      db.query('update trail_holds set lifted_by = $1, lifted_at = $2 where id = $1', [id, clock.now()]),
    numbers: async (): Promise<readonly number[]> => {
      const rows = await db.query<{ number: number }>('select s.number from trail_sequence as s order by s.number')
      return rows.map(({ number }) => number)
    },
    counts: async () => {
      const [row] = await db.query<{ entries: number; numbers: number; tiles: number }>(
        `select (select count(*) from trail_entries) as entries, (select count(*) from trail_sequence) as numbers,
            (select count(*) from trail_removed_tiles) as tiles`,
      )
      return row
    },
  }
}

export type RetentionScene = Awaited<ReturnType<typeof openRetention>>
