import {
  bundleBytes,
  hiddenRecord,
  readCheckpoint,
  readNote,
  readTilePath,
  type TilePlace,
  tileBytes,
  tileWidth,
  verifierText,
} from '@countersign/trail'
import { Type } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import { findLastCheckpoint, findLogKey, hashesOnLevel, selectBundle, selectHashes } from './checkpoint-tables.ts'

/** A full tile never changes; a partial one may be followed by a wider one under another path. */
const forEver = 'public, max-age=31536000, immutable'

/**
 * The log as C2SP tlog-tiles has it, below `/trail/`: for verifiers, monitors and witnesses, who have no account here.
 * Hashes tell nothing of what they are of; bundles of entries are for those who may read the trail, and show them their own.
 */
export function publicLogRoutes({ db }: { readonly db: Sql }): readonly Route[] {
  return [
    route({
      does: 'Show the newest signed checkpoint of the trail',
      method: 'GET',
      path: '/checkpoint',
      needs: 'anyone',
      answersItself: true,
      handle: async ({ reply }) => {
        const last = await findLastCheckpoint(db)
        if (!last) throw nothing('Nothing is signed yet; the first checkpoint follows the first entry within a second.')
        void reply.header('cache-control', 'no-cache').type('text/plain; charset=utf-8').send(last.note)
      },
    }),
    route({
      does: 'Show the key that signs checkpoints, in the form verifiers are given',
      method: 'GET',
      path: '/key',
      needs: 'anyone',
      answersItself: true,
      handle: async ({ reply }) => {
        const key = await findLogKey(db)
        if (!key) throw nothing('There is no key yet; it is made with the first checkpoint.')
        const text = verifierText({ name: key.name, publicKey: key.publicKey })
        void reply.header('cache-control', 'no-cache').type('text/plain; charset=utf-8').send(`${text}\n`)
      },
    }),
    route({
      does: 'Show a bundle of entries of the trail; those of others by their leaf hash',
      method: 'GET',
      path: '/tile/entries/*',
      needs: 'trail:read',
      params: Type.Object({ '*': Type.String({ maxLength: 200 }) }),
      answersItself: true,
      handle: async ({ who, params, reply }) => {
        const place = placeOf(`tile/entries/${params['*']}`)
        const bytes = await readEntryBundle(db, who.tenant, place)
        // Two readers see two bundles, so no cache on the way may keep one.
        void reply
          .header('cache-control', 'private, no-store')
          .type('application/octet-stream')
          .send(Buffer.from(bytes))
      },
    }),
    route({
      does: 'Show a tile of hashes of the trail',
      method: 'GET',
      path: '/tile/*',
      needs: 'anyone',
      params: Type.Object({ '*': Type.String({ maxLength: 200 }) }),
      answersItself: true,
      handle: async ({ params, reply }) => {
        const place = placeOf(`tile/${params['*']}`)
        const bytes = await readHashTile(db, place)
        void reply.header('cache-control', forEver).type('application/octet-stream').send(Buffer.from(bytes))
      },
    }),
  ]
}

function placeOf(path: string): TilePlace {
  const place = readTilePath(path)
  if (!place) throw nothing('No tile has this path. Paths are those of C2SP tlog-tiles: tile/<level>/<index>.')
  return place
}

async function readHashTile(db: Sql, { level, index, width }: TilePlace): Promise<Uint8Array> {
  if (level === 'entries') throw nothing('A bundle of entries has an address of its own.')
  const first = index * tileWidth
  await requireSigned(db, level, first + width)
  return tileBytes(await selectHashes(db, level, first, width))
}

async function readEntryBundle(db: Sql, tenant: string, { index, width }: TilePlace): Promise<Uint8Array> {
  const first = index * tileWidth
  await requireSigned(db, 0, first + width)
  const rows = await selectBundle(db, tenant, first, width)
  if (rows.length !== width) throw new Error(`The trail lacks entries from ${first}. Run "countersign trail fsck".`)
  return bundleBytes(rows.map(({ bytes, leafHash }) => bytes ?? hiddenRecord(leafHash)))
}

/** Nothing beyond the newest checkpoint is shown: what is not signed may not be relied on. */
async function requireSigned(db: Sql, level: number, hashes: number): Promise<void> {
  const last = await findLastCheckpoint(db)
  const size = last ? readCheckpoint(readNote(last.note).text).size : 0
  if (hashes > hashesOnLevel(size, level)) {
    throw nothing(`The log has ${size} entries under its newest checkpoint, and no such tile.`)
  }
}

function nothing(why: string): Problem {
  return new Problem(problems.notFound, why)
}
