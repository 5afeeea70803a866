import type { Sql } from '../../kernel/db.ts'
import { findRevisionWithTexts, type ReadRulesets, type RevisionOfHash } from '../rulesets/index.ts'
import type { RevisionText } from './derive-why.ts'

type Needs = { readonly db: Sql; readonly revisionOfHash: RevisionOfHash; readonly read: Pick<ReadRulesets, 'model'> }

export type ReadRevisionText = (tenant: string, hash: string) => Promise<RevisionText | undefined>

/** The very text an agent runs, by the hash it reported: the rendering it can read, not another one. */
export function revisionText({ db, revisionOfHash, read }: Needs): ReadRevisionText {
  return async (tenant, hash) => {
    const known = await revisionOfHash(tenant, hash)
    const found = known && (await findRevisionWithTexts(db, tenant, known.ruleset, known.version))
    if (!found) return undefined
    const text = found.texts[known.rendering]
    return { ruleset: found.ruleset, version: found.version, text, model: await read.model(tenant, text) }
  }
}
