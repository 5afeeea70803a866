import type { Diagnostic } from '@countersign/rules'
import type { Bus } from '../../kernel/bus.ts'
import { sha256Hex } from '../../kernel/crypto.ts'
import type { Db } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import type { Caller, RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import type { Checked, CheckRuleset } from './check-ruleset.ts'
import { diagnosticOnWire } from './outline.ts'
import type { RulesetDialect } from './revision.ts'
import { insertRevision, nextVersion } from './revisions-table.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly newId: () => string
  readonly check: CheckRuleset
  readonly tell: { readonly bus: Pick<Bus, 'announce'>; readonly recordAct: RecordAct }
}

type Upload = {
  readonly yaml: string
  readonly note?: string | undefined
  /** What the surface calls the field with the document; errors name it. */
  readonly field: string
}

export type Uploaded = { readonly id: string; readonly ruleset: string; readonly version: number }
export type UploadRuleset = (who: Caller, upload: Upload, facts: RequestFacts) => Promise<Uploaded>

/** Checks a document and keeps it, in both dialects, as the next version of its name. It is never changed after. */
export function uploadRuleset({ db, clock, newId, check, tell: { bus, recordAct } }: Needs): UploadRuleset {
  return async (who, { yaml, note, field }, facts) => {
    const checked = await check(who.tenant, yaml)
    if (!checked.ok) throw refusal(field, checked.diagnostics)
    const written = revisionOf(yaml, checked)
    const id = newId()
    const ruleset = checked.ruleset.name
    return db.inTx(async (tx) => {
      const now = clock.now()
      const version = await nextVersion(tx, who.tenant, ruleset, now)
      await insertRevision(tx, {
        ...written,
        tenant: who.tenant,
        id,
        ruleset,
        version,
        note: note === undefined || note.trim() === '' ? null : note,
        uploadedBy: who.id,
        uploadedAt: now,
      })
      await recordAct(tx, {
        ...actorOf(who),
        tenant: who.tenant,
        act: 'ruleset.uploaded',
        subject: { kind: 'ruleset', id: ruleset },
        request: facts,
        details: { version, revision_id: id, hashes: written.hashes, parents: [...written.parents] },
      })
      await bus.announce(tx, {
        topic: 'ruleset.uploaded',
        tenant: who.tenant,
        body: { ruleset, version, revision_id: id },
      })
      return { id, ruleset, version }
    })
  }
}

function revisionOf(yaml: string, { ruleset, served, parents }: Extract<Checked, { ok: true }>) {
  const texts = { ruleset: served.ruleset.text, contract_bundle: served.contractBundle.text }
  const dialect: RulesetDialect = ruleset.dialect === 'Ruleset' ? 'ruleset' : 'contract_bundle'
  return {
    dialect,
    texts,
    hashes: { ruleset: sha256Hex(texts.ruleset), contract_bundle: sha256Hex(texts.contract_bundle) },
    source: texts[dialect] === yaml ? null : yaml,
    parents,
    description: ruleset.description ?? null,
    ruleCount: served.ruleCount,
  }
}

/** The first few in words, all of them as data for editors. */
function refusal(field: string, diagnostics: readonly Diagnostic[]): Problem {
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  const words = errors.map(({ line, column, message, hint }) => {
    return `line ${line}, column ${column}: ${message}${hint === undefined ? '' : ` ${hint}`}`
  })
  const more = words.length > 1 ? ` And ${words.length - 1} more.` : ''
  return new Problem(problems.invalidInput, `The ruleset was not accepted. ${words[0] ?? ''}${more}`, {
    errors: words.map((message) => ({ path: `body.${field}`, message })),
    facts: { diagnostics: diagnostics.map(diagnosticOnWire) },
  })
}
