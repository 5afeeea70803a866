import type { Bus } from '../../kernel/bus.ts'
import type { Sql } from '../../kernel/db.ts'
import { shareAnswers } from '../../kernel/share-answers.ts'
import type { CurrentRollout, Rendering } from './rollout.ts'
import { type CurrentRow, findCurrentId, readCurrent } from './rollouts-table.ts'

type Needs = { readonly db: Sql; readonly bus: Pick<Bus, 'on' | 'isProven'> }

export type ReadCurrentRollout = (
  tenant: string,
  environment: string,
  ruleset: string,
) => Promise<CurrentRollout | undefined>
export type ForgetRollout = (tenant: string, environment: string, ruleset: string) => void

export type CurrentRollouts = {
  /** What is live in a place. The same object for as long as nothing about it changes. */
  readonly currentRollout: ReadCurrentRollout
  /** The same, if it is in memory and beyond doubt. */
  readonly fromMemory: (tenant: string, environment: string, ruleset: string) => CurrentRollout | undefined
  readonly forget: ForgetRollout
  /** After a change of signing keys, which is part of everything that is live. */
  readonly forgetTenant: (tenant: string) => void
}

type Kept = { readonly rollout: CurrentRollout | undefined; readonly bytes: number }

/** Both renderings as text, bytes and base64; the serialized answers grow with it. */
const keptBytesMax = 128 * 1_048_576
/** What an entry costs beside its texts; of a name that is not live it is all. */
const entryBytes = 1_024

/** Keeps what is live in memory. Each replica forgets a place when the bus tells of it, and reads it again when asked. */
export function keepCurrentRollouts({ db, bus }: Needs): CurrentRollouts {
  const kept = new Map<string, Kept>()
  const underWay = new Map<string, Promise<CurrentRollout | undefined>>()
  const currentIds = shareAnswers<string | undefined>()
  let bytes = 0

  const drop = (place: string): void => {
    bytes -= kept.get(place)?.bytes ?? 0
    kept.delete(place)
    // What is being read may be of the moment before; whoever asks from now on gets a reading of his own.
    underWay.delete(place)
    currentIds.forget(place)
  }
  const keep = (place: string, rollout: CurrentRollout | undefined): void => {
    drop(place)
    const cost = entryBytes + place.length + (rollout ? costOf(rollout) : 0)
    kept.set(place, { rollout, bytes: cost })
    bytes += cost
    for (const oldest of kept.keys()) {
      if (bytes <= keptBytesMax) break
      drop(oldest)
    }
  }
  const read = (place: string, tenant: string, environment: string, ruleset: string) => {
    const reading = readCurrent(db, tenant, environment, ruleset).then((row) => {
      const rollout = row && rolloutOf(row, tenant, environment, ruleset)
      if (underWay.get(place) === reading) keep(place, rollout)
      return rollout
    })
    underWay.set(place, reading)
    void reading
      .catch(() => undefined)
      .then(() => {
        if (underWay.get(place) === reading) underWay.delete(place)
      })
    return reading
  }

  const forget: ForgetRollout = (tenant, environment, ruleset) => {
    drop(placeOf(tenant, environment, ruleset))
  }
  bus.on('rollout.created', ({ tenant, body }) => {
    if (tenant !== null) forget(tenant, String(body['environment']), String(body['ruleset']))
  })
  const forgetTenant = (tenant: string): void => {
    for (const place of [...kept.keys(), ...underWay.keys()]) if (place.startsWith(tenant)) drop(place)
  }
  for (const topic of ['signing_key.rotated', 'signing_key.retired']) {
    bus.on(topic, ({ tenant }) => {
      if (tenant !== null) forgetTenant(tenant)
    })
  }

  return {
    forget,
    forgetTenant,
    fromMemory: (tenant, environment, ruleset) =>
      bus.isProven() ? kept.get(placeOf(tenant, environment, ruleset))?.rollout : undefined,
    currentRollout: async (tenant, environment, ruleset) => {
      const place = placeOf(tenant, environment, ruleset)
      const found = kept.get(place)
      if (found && bus.isProven()) return found.rollout
      if (found) {
        // Deaf to other replicas: one small question tells whether what is kept is still the current one.
        const id = await currentIds.ask(place, () => findCurrentId(db, tenant, environment, ruleset))
        if (id === found.rollout?.rolloutId) return found.rollout
        drop(place)
      }
      return underWay.get(place) ?? read(place, tenant, environment, ruleset)
    },
  }
}

function placeOf(tenant: string, environment: string, ruleset: string): string {
  // Neither name can hold a space.
  return `${tenant} ${environment} ${ruleset}`
}

function costOf({ renderings }: CurrentRollout): number {
  const all = [renderings.ruleset, renderings.contract_bundle]
  // Text, bytes, base64, and one serialized answer, as bytes and as text, that holds the first and the third.
  return all.reduce((sum, { bytes }) => sum + bytes.length * 8, 0)
}

function rolloutOf(row: CurrentRow, tenant: string, environment: string, ruleset: string): CurrentRollout {
  const rendering = (name: 'ruleset' | 'contract_bundle', text: string, hash: string): Rendering => {
    const bytes = Buffer.from(text)
    const signatures = row.signatures
      .filter((one) => one.rendering === name)
      .map(({ key, publicKey, signature }) => {
        return [key, { signature: Buffer.from(signature, 'hex').toString('base64'), publicKey }] as const
      })
    return { text, bytes, base64: bytes.toString('base64'), hash, signatures: new Map(signatures) }
  }
  return {
    tenant,
    environment,
    ruleset,
    rolloutId: row.rolloutId,
    version: row.version,
    revisionId: row.revisionId,
    rolledOutAt: row.rolledOutAt,
    wasLiveBefore: row.wasLiveBefore,
    uploadedBy: row.uploadedBy,
    uploadedAt: row.uploadedAt,
    fallbackSigningKeyId: row.fallbackSigningKeyId ?? undefined,
    // PostgreSQL breaks base64 into lines.
    endorsements: row.endorsements.map((one) => ({ ...one, signature: one.signature.replaceAll('\n', '') })),
    renderings: {
      ruleset: rendering('ruleset', row.rulesetText, row.rulesetHash),
      contract_bundle: rendering('contract_bundle', row.contractBundleText, row.contractBundleHash),
    },
  }
}
