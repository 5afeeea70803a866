import { verifierOf, verifyAnchors } from '@countersign/trail'
import { type ObjectStore, readChain, writeAnchors } from '../src/features/anchors/index.ts'
import { cutCheckpoints, findLastCheckpoint, logSigner } from '../src/features/trail/index.ts'
import { keyCreated, openTrail } from './trail-scene.ts'

/** A trail with its checkpoints, anchored in whatever store is given. */
export async function openAnchoredTrail(
  store: ObjectStore,
  { bucket = 'anchors', chainId = 'test-chain', intervalMinutes = 60, startsAt = '2026-02-28T10:00:00.123Z' } = {},
) {
  const scene = await openTrail({ startsAt })
  const { db, clock, keyring } = scene
  const cut = cutCheckpoints({ db, clock, sealing: keyring, origin: 'countersign.example.com/trail' })
  const place = { bucket, chainId, intervalMinutes, retentionDays: 400 }
  const said: string[] = []
  const say = (fields: object, text: string): void => void said.push(`${text} ${JSON.stringify(fields)}`)
  const open = (other: ObjectStore = store) =>
    writeAnchors({
      db,
      clock,
      log: { info: () => undefined, warn: say, error: say },
      store: other,
      place,
      trail: { findLastCheckpoint, signer: logSigner(keyring) },
    })
  let written = 0
  return {
    ...scene,
    place,
    /** What was logged as odd or wrong. */
    said,
    open,
    cut,
    write: async (count: number): Promise<void> => {
      for (const end = written + count; written < end; written += 1) await scene.record(db, keyCreated(written))
      await scene.sequence()
      await cut()
    },
    verify: async () => {
      const signer = await logSigner(keyring)(db)
      if (!signer) throw new Error('no key')
      const { files, oddities } = await readChain(store, chainId)
      return { ...verifyAnchors(files, { chainId, verifier: verifierOf(signer) }), oddities }
    },
  }
}

export type AnchorScene = Awaited<ReturnType<typeof openAnchoredTrail>>
