import { diffRulesets, parseRuleset, type Ruleset } from '@countersign/rules'
import type { RulesetDialect, SemanticDiff } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import { diffOnWire } from './outline.ts'
import type { Revision, RevisionTexts } from './revision.ts'
import { findRevisionWithTexts } from './revisions-table.ts'

export type RevisionDiff = {
  readonly dialect: RulesetDialect
  readonly semantic: SemanticDiff
  readonly beforeYaml: string
  readonly afterYaml: string
}

/** Two versions of one name, in the words of the newer one so that renamed fields do not show as changes. */
export function diffRevisions(db: Sql) {
  return async (tenant: string, name: string, from: number, to: number): Promise<RevisionDiff> => {
    const [before, after] = [await read(db, tenant, name, from), await read(db, tenant, name, to)]
    const { dialect } = after
    const [old, now] = [modelOf(before.texts[dialect]), modelOf(after.texts[dialect])]
    return {
      dialect,
      semantic: diffOnWire(diffRulesets(old, now), old, now),
      beforeYaml: before.texts[dialect],
      afterYaml: after.texts[dialect],
    }
  }
}

async function read(db: Sql, tenant: string, name: string, version: number): Promise<Revision & RevisionTexts> {
  const revision = await findRevisionWithTexts(db, tenant, name, version)
  if (!revision) throw notFound('revision')
  return revision
}

/** The model of a text that was accepted once; a reader that no longer accepts it is a bug. */
export function modelOf(text: string): Ruleset {
  const parsed = parseRuleset(text)
  if (!parsed.ok) throw new Error(`A stored revision is refused: ${parsed.diagnostics[0]?.message ?? ''}`)
  return parsed.ruleset
}
