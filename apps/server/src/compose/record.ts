import { anchoringHealth, s3Store, writeAnchors } from '../features/anchors/index.ts'
import { type Retention, removalHealth, removeExpired } from '../features/retention/index.ts'
import {
  type Act,
  cutCheckpoints,
  entryMacs,
  findLastCheckpoint,
  logSigner,
  makeSequencer,
  originOf,
  readTrailHead,
  recordAct,
  recordRefusals,
  writeActs,
} from '../features/trail/index.ts'
import type { Sql } from '../kernel/db.ts'
import type { ComposeNeeds, Foundation } from './foundation.ts'

export type ComposedRecord = ReturnType<typeof composeRecord>

/** The trail, which comes first: nothing else acts without it. */
export function composeRecord({ config, baseUrl, db, clock, log, sealing, newId, workers }: Foundation) {
  const macs = entryMacs(config.trailMacSecret, config.oldTrailMacSecrets)
  const record = recordAct({ clock, newId, keyring: sealing, macOf: macs.macOf })
  const sequence = makeSequencer({ db, clock })
  workers.add({ name: 'trail_sequencer', everyMs: 50, work: sequence })
  const checkpoint = cutCheckpoints({ db, clock, sealing, origin: originOf(baseUrl) })
  workers.add({ name: 'trail_checkpoints', everyMs: 250, work: checkpoint })
  const anchoring = composeAnchoring({ config, db, clock, log, signer: logSigner(sealing) })
  if (anchoring) workers.add({ name: 'trail_anchors', everyMs: 15_000, work: anchoring.write.pass })
  const retention = composeRetention({
    config,
    db,
    clock,
    log,
    newId,
    anchoring,
    entries: { keyring: sealing, macOf: macs.macOf },
  })
  if (retention) workers.add({ name: 'trail_retention', everyMs: 600_000, work: () => retention.remove.pass() })
  const retentionHealth = retention && (() => removalHealth({ db }))
  const refusals = recordRefusals({ db, record, log, clock })
  workers.add({ name: 'trail_refusals', everyMs: 5_000, work: refusals.settle, isOwn: true })

  return { macs, record, anchoring, retention, retentionHealth, refusals }
}

/** Signed checkpoints into a store that lets nobody delete them; nothing without a bucket. */
function composeAnchoring({
  config,
  signer,
  ...kernel
}: Pick<ComposeNeeds, 'config' | 'db' | 'clock' | 'log'> & { readonly signer: ReturnType<typeof logSigner> }) {
  const { anchorBucket: bucket, anchorChainId: chainId } = config
  if (bucket === undefined || chainId === undefined) return undefined
  const { anchorIntervalMinutes: intervalMinutes, anchorRetentionDays: retentionDays } = config
  const place = { bucket, chainId, intervalMinutes, retentionDays }
  const {
    s3Region: region,
    s3Endpoint: endpoint,
    s3AccessKeyId: accessKeyId,
    s3SecretAccessKey: secretAccessKey,
  } = config
  const s3 = { bucket, region, endpoint, accessKeyId, secretAccessKey }
  const store = s3Store(s3)
  const logSize = async (): Promise<number> => (await readTrailHead(kernel.db)).size
  return {
    place,
    store,
    signer,
    /** Archives are longer than anchors. */
    archives: s3Store(s3, { patienceMs: 60_000 }),
    write: writeAnchors({ ...kernel, store, place, trail: { findLastCheckpoint, signer } }),
    health: () => anchoringHealth({ db: kernel.db, clock: kernel.clock, place, logSize }),
  }
}

/** Expired entries into archives beside the anchors, and out of the database; nothing while the trail is kept for ever. */
function composeRetention({
  config: { logRetentionDays: retentionDays },
  anchoring,
  entries,
  ...kernel
}: Pick<ComposeNeeds, 'config' | 'db' | 'clock' | 'log'> & {
  readonly newId: () => string
  readonly anchoring: ReturnType<typeof composeAnchoring>
  readonly entries: Parameters<typeof writeActs>[1]
}): Retention | undefined {
  if (retentionDays === undefined || !anchoring) return undefined
  const { place, archives: store, signer } = anchoring
  const policy = { retentionDays, place }
  const write = (tx: Sql, act: Act, id: string): Promise<void> => {
    const at = kernel.clock.now()
    return writeActs(tx, entries, [{ act, id, at }], at)
  }
  return { policy, remove: removeExpired({ ...kernel, store, policy, trail: { signer, write } }) }
}
