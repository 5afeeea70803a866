import { isPublicKey, isSigned } from './crypto.ts'
import { RevisionRefused } from './errors.ts'
import type { Endorsement, ServedRuleset } from './served-ruleset.ts'
import type { StateFolder } from './state-folder.ts'

/** Decides whose rulesets are enforced. */
export type Trust = {
  /** Whether a key that is trusted already signed it. */
  readonly isSigned: (served: ServedRuleset) => boolean
  /** Resolves when a trusted key signed it; throws `RevisionRefused` otherwise. Learns keys as its policy says. */
  readonly check: (served: ServedRuleset) => Promise<void>
}

type Needs = {
  readonly pinned: readonly string[] | undefined
  readonly folder: Pick<StateFolder, 'read' | 'write'>
}

const file = 'trusted-keys.json'

/**
 * Pinned keys, or the first one met. Either way a key that a trusted one endorsed is trusted too, so that a rotation is
 * followed without an operator on every machine and without believing whoever holds the connection.
 */
export async function openTrust({ pinned, folder }: Needs): Promise<Trust> {
  const kept = keysIn(await folder.read(file))
  // Keys that were learned under other pins were endorsed by keys nobody trusts any more.
  const isSame = pinned === undefined ? kept?.pinned === undefined : kept?.pinned?.join() === pinned.join()
  const trusted = new Set([...(pinned ?? []), ...(isSame ? (kept?.learned ?? []) : [])])
  const learned = new Set(isSame ? kept?.learned : [])

  const learn = async (key: string): Promise<void> => {
    learned.add(key)
    await folder.write(file, { pinned, learned: [...learned] })
    // Only now: what is enforced after a restart must be trusted then as well.
    trusted.add(key)
  }

  const isTrusted = ({ bytes, signature }: ServedRuleset): boolean =>
    [...trusted].some((key) => isSigned(bytes, signature, key))

  return {
    isSigned: isTrusted,
    check: async (served) => {
      const { bytes, signature, publicKey, name } = served
      if (isTrusted(served)) return
      if (!isPublicKey(publicKey) || !isSigned(bytes, signature, publicKey)) {
        throw new RevisionRefused(`The ruleset ${name} is not signed by a key that is trusted here.`)
      }
      const isFirst = trusted.size === 0
      if (!isFirst && !isEndorsed(publicKey, served, trusted)) {
        throw new RevisionRefused(
          `The ruleset ${name} is signed by ${publicKey.slice(0, 16)}…, which no trusted key vouches for. If the server's signing key was replaced, add it to publicKeys, or delete ${file} to trust what is met next.`,
        )
      }
      await learn(publicKey)
    },
  }
}

/** What one signing key signs to vouch for another. No ruleset begins like this, so neither can be taken for the other. */
export function endorsementText(tenantId: string, publicKey: string): string {
  return `countersign signing key endorsement v1\n${tenantId}\n${publicKey}\n`
}

/** Through any number of rotations: each key vouched for by the one before. */
function isEndorsed(
  publicKey: string,
  { tenantId, endorsements }: ServedRuleset,
  trusted: ReadonlySet<string>,
): boolean {
  if (tenantId === undefined) return false
  const proven = new Set(trusted)
  const isProof = ({ publicKey: key, by, signature }: Endorsement): boolean =>
    proven.has(by) && !proven.has(key) && isSigned(Buffer.from(endorsementText(tenantId, key)), signature, by)
  for (let found = endorsements.find(isProof); found; found = endorsements.find(isProof)) proven.add(found.publicKey)
  return proven.has(publicKey)
}

type Kept = { readonly pinned: readonly string[] | undefined; readonly learned: readonly string[] }

function keysIn(value: unknown): Kept | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null) throw new Error(`${file} is damaged`)
  const { pinned, learned } = value as Readonly<Record<string, unknown>>
  const list = (keys: unknown): keys is string[] => Array.isArray(keys) && keys.every(isPublicKey)
  if (!list(learned) || (pinned !== undefined && !list(pinned))) throw new Error(`${file} is damaged`)
  return { pinned, learned }
}
