import { checkpointText, nodeOf, readCheckpoint, readNote, signNote, tileWidth } from '@countersign/trail'
import type { Clock } from '../../kernel/clock.ts'
import { type Keyring, makeSigningKeyPair } from '../../kernel/crypto.ts'
import type { Db, Sql } from '../../kernel/db.ts'
import {
  countTileRoots,
  findLastCheckpoint,
  findLogKey,
  hashesOnLevel,
  insertCheckpoint,
  insertLogKey,
  insertTileRoots,
  type LogKey,
  peekAtHeads,
  selectHashes,
  takeCheckpointLock,
} from './checkpoint-tables.ts'
import { logKeyPurpose } from './log-signer.ts'
import { readHead } from './sequence-table.ts'

type Needs = {
  readonly db: Pick<Db, 'query' | 'inTx'>
  readonly clock: Pick<Clock, 'now'>
  readonly sealing: Pick<Keyring, 'seal' | 'unseal'>
  /** Names the log in its checkpoints, once and for ever; taken when the first one is signed. */
  readonly origin: string
}

/** Full tiles summed up in one transaction: a million entries are some four thousand. */
const tilesPerPass = 512

/**
 * Signs the newest head when it is not signed yet (C2SP tlog-checkpoint) and sums up the tiles that became full. Any
 * replica may call it at any time. Answers the size that was signed, or nothing when there was nothing new.
 */
export function cutCheckpoints({ db, clock, sealing, origin }: Needs): () => Promise<number | undefined> {
  /** What this process knows to be signed. A shorter or another log than that is never signed by it again. */
  let signed: { readonly size: number; readonly root: Uint8Array } | undefined

  /** The note behind it, as it is stored. */
  let note: string | undefined

  const cut = (): Promise<number | undefined> =>
    db.inTx(async (tx) => {
      if (!(await takeCheckpointLock(tx))) return undefined
      const last = await findLastCheckpoint(tx)
      const known = last && readCheckpoint(readNote(last.note).text)
      if (signed && (!known || known.size < signed.size)) {
        throw new Error(
          `The trail was signed up to entry ${signed.size} and now its last checkpoint has ${known?.size ?? 0}: the database was set back. ` +
            'Nothing is signed until the server is started anew.',
        )
      }
      if (signed && known && known.size === signed.size && Buffer.compare(known.root, signed.root) !== 0) {
        throw new Error(`The checkpoint of ${signed.size} entries is not the one that was signed.`)
      }
      signed = known
      note = last?.note
      const head = await readHead(tx)
      if (!head || (known && head.size <= known.size)) return undefined
      await sumUpTiles(tx, head.size)
      const key = (await findLogKey(tx)) ?? (await makeLogKey(tx, sealing, origin, clock.now()))
      const text = checkpointText({ origin: key.name, size: head.size, root: head.root, extensions: [] })
      const signedNote = signNote(text, {
        name: key.name,
        seed: sealing.unseal(logKeyPurpose, key.name, key.sealedSeed),
      })
      await insertCheckpoint(tx, { size: head.size, note: signedNote }, clock.now())
      return head.size
    })

  return async () => {
    // Asked four times a second for ever: while nothing happens it takes one statement, no transaction and no lock.
    const found = await peekAtHeads(db)
    const isSame = note !== undefined && found.note === note && found.size === signed?.size
    return isSame ? undefined : cut()
  }
}

async function makeLogKey(tx: Sql, sealing: Needs['sealing'], name: string, at: Date): Promise<LogKey> {
  const { seed, publicKey } = makeSigningKeyPair()
  const key = { name, publicKey, sealedSeed: sealing.seal(logKeyPurpose, name, seed) }
  await insertLogKey(tx, key, at)
  return key
}

/** Level by level, each from the one below. */
async function sumUpTiles(tx: Sql, size: number): Promise<void> {
  for (let level = 0; hashesOnLevel(size, level + 1) > 0; level += 1) {
    const full = hashesOnLevel(size, level + 1)
    for (let first = await countTileRoots(tx, level); first < full; first += tilesPerPass) {
      const count = Math.min(tilesPerPass, full - first)
      const hashes = await selectHashes(tx, level, first * tileWidth, count * tileWidth)
      const roots = Array.from({ length: count }, (_, at) => nodeOf(hashes.slice(at * tileWidth, (at + 1) * tileWidth)))
      await insertTileRoots(tx, level, first, roots)
    }
  }
}

/** `countersign.example.com/trail`: an origin is an address without scheme, spaces and plus signs. */
export function originOf(baseUrl: string): string {
  const { host, pathname } = new URL(baseUrl)
  return `${host}${pathname.replace(/\/+$/, '')}/trail`.replaceAll('+', '%2B')
}
