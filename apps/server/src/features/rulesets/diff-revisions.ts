import type { RulesetDialect, SemanticDiff } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import type { ReadRulesets } from './read-rulesets.ts'
import type { Revision, RevisionTexts } from './revision.ts'
import { findRevisionWithTexts } from './revisions-table.ts'

type Needs = { readonly db: Sql; readonly read: Pick<ReadRulesets, 'compare'> }

export type RevisionDiff = {
  readonly dialect: RulesetDialect
  readonly semantic: SemanticDiff
  readonly beforeYaml: string
  readonly afterYaml: string
}

/** Two versions of one name, in the words of the newer one so that renamed fields do not show as changes. */
export function diffRevisions({ db, read }: Needs) {
  return async (tenant: string, name: string, from: number, to: number): Promise<RevisionDiff> => {
    const [before, after] = [await find(db, tenant, name, from), await find(db, tenant, name, to)]
    const { dialect } = after
    return {
      dialect,
      semantic: await read.compare(tenant, before.texts[dialect], after.texts[dialect]),
      beforeYaml: before.texts[dialect],
      afterYaml: after.texts[dialect],
    }
  }
}

async function find(db: Sql, tenant: string, name: string, version: number): Promise<Revision & RevisionTexts> {
  const revision = await findRevisionWithTexts(db, tenant, name, version)
  if (!revision) throw notFound('revision')
  return revision
}
