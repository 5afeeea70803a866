import { readServedRuleset, type ServedRuleset, servedToJson } from './served-ruleset.ts'
import type { StateFolder } from './state-folder.ts'
import type { Trust } from './trust.ts'

/** The last good revision, so that a restart without a server enforces what was enforced before. */
export type KeptRevision = {
  /** Undefined unless it is whole, signed by a key that is trusted now, and of what is asked for now. */
  readonly load: () => Promise<ServedRuleset | undefined>
  readonly keep: (served: ServedRuleset) => Promise<void>
}

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
      return trust.isSigned(served) ? served : undefined
    },
    keep: (served) => folder.write(file, { asked, ...servedToJson(served) }),
  }
}
