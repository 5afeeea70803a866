import { readServedRuleset, type ServedRuleset, servedToJson } from './served-ruleset.ts'
import type { StateFolder } from './state-folder.ts'
import type { Trust } from './trust.ts'

/** The last good revision, so that a restart without a server enforces what was enforced before. */
export type KeptRevision = {
  /** Undefined unless it is whole, signed by a key that is trusted now, and of what is asked for now. */
  readonly load: () => Promise<Kept | undefined>
  readonly keep: (kept: Kept) => Promise<void>
}

/** What is enforced, and the hashes of what was enforced before it, oldest first. */
export type Kept = { readonly served: ServedRuleset; readonly replaced: readonly string[] }

type Needs = {
  readonly folder: Pick<StateFolder, 'read' | 'write'>
  readonly trust: Pick<Trust, 'isSigned'>
  /** The server, environment, agent and ruleset that were asked for; a revision kept for others is none. */
  readonly asked: string
}

const file = 'revision.json'

export function keptRevision({ folder, trust, asked }: Needs): KeptRevision {
  return {
    load: async () => {
      const kept = await folder.read(file)
      if (typeof kept !== 'object' || kept === null) return undefined
      const data = kept as Readonly<Record<string, unknown>>
      if (data['asked'] !== asked) return undefined
      const served = readServedRuleset(data)
      // Without learning: keys are met on the wire, not in a file that may be older than what was forgotten on purpose.
      return trust.isSigned(served) ? { served, replaced: hashesIn(data['replaced']) } : undefined
    },
    keep: ({ served, replaced }) => folder.write(file, { asked, ...servedToJson(served), replaced }),
  }
}

function hashesIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
}
