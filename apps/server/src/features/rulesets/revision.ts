import type { RulesetDialect } from '@countersign/wire'

export type { RulesetDialect } from '@countersign/wire'

/** A revision that another extends, pinned when that one was uploaded. */
export type PinnedRevision = { readonly name: string; readonly version: number; readonly hash: string }

/** One immutable version of a ruleset, without its texts. */
export type Revision = {
  readonly id: string
  readonly ruleset: string
  readonly version: number
  readonly dialect: RulesetDialect
  readonly hashes: Readonly<Record<RulesetDialect, string>>
  readonly bytes: Readonly<Record<RulesetDialect, number>>
  readonly ruleCount: number
  readonly description: string | null
  readonly note: string | null
  readonly parents: readonly PinnedRevision[]
  readonly uploadedBy: string
  readonly uploadedByEmail: string | null
  readonly uploadedAt: Date
  /** Environments it is live in at this moment. */
  readonly liveIn: readonly string[]
}

export type RevisionTexts = {
  readonly texts: Readonly<Record<RulesetDialect, string>>
  /** As uploaded. */
  readonly source: string
}

/** The hash its author computed: of the rendering it was written in. */
export function ownHash({ dialect, hashes }: Pick<Revision, 'dialect' | 'hashes'>): string {
  return hashes[dialect]
}

/** How a person who did something is shown in lists. */
export function personRef(id: string, email: string | null): { kind: 'person'; id: string; label: string } {
  return { kind: 'person', id, label: email ?? id }
}
