import {
  type AnchorVerification,
  NotANote,
  type NoteVerifier,
  type RecordedHead,
  readVerifier,
  verifierText,
  verifyAnchors,
} from '@countersign/trail'
import { readChain } from '../../../server/src/features/anchors/index.ts'
import type { Db } from '../../../server/src/kernel/db.ts'
import { type DatabaseOptions, type Surroundings, usingDatabase } from '../database-options.ts'
import { anchorPlace, openStore, readFolder } from './anchor-store.ts'

export type AnchorOptions = DatabaseOptions & {
  readonly folder?: string
  readonly key?: string
  readonly export?: string | undefined
}

/** What the anchors are by themselves, and what they say of the log. */
export type AnchorReport = Omit<AnchorVerification, 'faults' | 'heads'> & {
  readonly faults: readonly string[]
  /** Without it the key came from the database that is to be checked. */
  readonly is_key_given: boolean
}
export type ReadAnchors = { readonly report: AnchorReport; readonly heads: readonly RecordedHead[] }

/** Reads every anchor, from the bucket or a folder, and checks the chain by itself and against what the database knows of it. */
export async function readAnchors(options: AnchorOptions, env: Surroundings['env']): Promise<ReadAnchors> {
  const withDatabase = options.export === undefined || options.key === undefined
  if (options.export !== undefined && options.key === undefined) {
    throw new Error('Give --key with --export: an export does not say which key to trust.')
  }
  const known = withDatabase ? await usingDatabase(options, env, ({ db }) => readKnown(db)) : undefined
  const verifier = options.key === undefined ? known?.verifier : readGivenKey(options.key)
  if (!verifier) throw new Error('The log has no key yet: nothing was signed, so nothing can have been anchored.')
  const isKeyGiven = options.key !== undefined
  const swapped = swappedKey(verifier, known?.verifier)
  if (options.folder !== undefined) {
    return reportOf(
      verifyAnchors(await readFolder(options.folder), { chainId: undefined, verifier }),
      swapped,
      isKeyGiven,
    )
  }
  const { bucket, chainId } = anchorPlace(env)
  const store = openStore(env, bucket)
  try {
    const { files, oddities } = await readChain(store, chainId)
    const found = verifyAnchors(files, { chainId, verifier })
    const here = (known?.anchors ?? []).filter((one) => one.bucket === bucket && one.chainId === chainId)
    const stored = new Set(files.map(({ key }) => key))
    const lost = here
      .filter(({ key }) => !stored.has(key))
      .map(({ sequence, key }) => `Anchor ${sequence} was written as ${key} and is not in the bucket ${bucket}.`)
    return reportOf(
      found,
      [...swapped, ...oddities, ...lost, ...(known ? setBack(found, here.at(-1)?.sequence) : [])],
      isKeyGiven,
    )
  } finally {
    store.close()
  }
}

function swappedKey(trusted: NoteVerifier, known: NoteVerifier | undefined): readonly string[] {
  if (!known || verifierText(known) === verifierText(trusted)) return []
  return [
    `The database says that the key of the log is ${verifierText(known)}, which is not the one you gave: it was exchanged.`,
  ]
}

type KnownAnchor = {
  readonly bucket: string
  readonly chainId: string
  readonly sequence: number
  readonly key: string
}

async function readKnown(db: Db): Promise<{ verifier: NoteVerifier | undefined; anchors: readonly KnownAnchor[] }> {
  const [key] = await db.query<NoteVerifier>(
    'select k.name, k.public_key as "publicKey" from trail_log_keys as k order by k.made_at limit 1',
  )
  const anchors = await db.query<KnownAnchor>(
    `select a.bucket, a.chain_id as "chainId", a.sequence, a.key from trail_anchors as a
      where a.written_at is not null order by a.sequence`,
  )
  return { verifier: key, anchors }
}

/** The bucket knows more than the database: that is what a restored backup looks like. */
function setBack({ last }: AnchorVerification, known: number | undefined): readonly string[] {
  if (last === undefined || last.sequence <= (known ?? -1)) return []
  const upTo = known === undefined ? 'knows none of them' : `knows them up to ${known}`
  return [
    `The bucket has anchors up to ${last.sequence} (${last.at}), the database ${upTo}: it was set back, or another one writes this chain.`,
  ]
}

function readGivenKey(text: string): NoteVerifier {
  try {
    return readVerifier(text.trim())
  } catch (cause) {
    if (cause instanceof NotANote) throw new Error(`--key is not the key of a log: ${cause.message}`, { cause })
    throw cause
  }
}

function reportOf(
  { heads, ...found }: AnchorVerification,
  others: readonly string[],
  isKeyGiven: boolean,
): ReadAnchors {
  const faults = [...found.faults.map(({ says }) => says), ...others]
  return { report: { ...found, ok: faults.length === 0, faults, is_key_given: isKeyGiven }, heads }
}

const shownMax = 100

export function anchorText({ ok, anchors, faults, last, is_key_given: isKeyGiven }: AnchorReport): string {
  const count = `${anchors} ${anchors === 1 ? 'anchor' : 'anchors'} read`
  const lines = [
    last ? `${count}; the last is number ${last.sequence} of ${last.at}, over ${last.size} entries.` : `${count}.`,
  ]
  if (!ok)
    lines.push(`Faults of the anchors: ${faults.length}`, ...faults.slice(0, shownMax).map((says) => `  ${says}`))
  if (faults.length > shownMax) lines.push(`  and ${faults.length - shownMax} more.`)
  if (!isKeyGiven) {
    lines.push(
      "The key was taken from the database. Give --key as you first trusted it: the database's word proves nothing about itself.",
    )
  }
  return `${lines.join('\n')}\n`
}
