import {
  checkedRuleset,
  checkRulesetBody,
  evaluation,
  evaluationBody,
  pageQuery,
  type RulesetDialect,
  type RulesetRevision,
  type RulesetSummary,
  rulesetDiff,
  rulesetDiffQuery,
  rulesetList,
  rulesetNameParams,
  rulesetRevision,
  rulesetRevisionDetail,
  rulesetRevisionList,
  rulesetSummary,
  rulesetVersionParams,
  Type,
  uploadRulesetBody,
} from '@countersign/wire'
import { sha256Hex } from '../../kernel/crypto.ts'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput, notFound } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import type { CheckRuleset } from './check-ruleset.ts'
import type { diffRevisions } from './diff-revisions.ts'
import type { EvaluateCall } from './evaluate-call.ts'
import { diagnosticOnWire, outlineOf } from './outline.ts'
import type { ReadRulesets } from './read-rulesets.ts'
import { ownHash, personRef, type Revision } from './revision.ts'
import {
  findLatestRevision,
  findRevision,
  findRevisionWithTexts,
  findVersionOfHash,
  type LiveRow,
  listLatestRevisions,
  listLive,
  listRevisions,
} from './revisions-table.ts'
import type { UploadRuleset } from './upload-ruleset.ts'

type Needs = {
  readonly db: Sql
  readonly check: CheckRuleset
  readonly upload: UploadRuleset
  readonly diff: ReturnType<typeof diffRevisions>
  readonly read: Pick<ReadRulesets, 'outline'>
  readonly evaluate: EvaluateCall
}

/** What people upload, read and compare. A document of 512 KiB with every character escaped fits the body. */
const bodyBytesMax = 5 * 1_048_576

export function rulesetRoutes({ db, check, upload, diff, read, evaluate }: Needs): readonly Route[] {
  return [
    route({
      does: 'List rulesets with what is live where',
      method: 'GET',
      path: '/rulesets',
      needs: 'rulesets:read',
      answers: rulesetList,
      handle: async ({ who }) => {
        const [latest, live] = await Promise.all([listLatestRevisions(db, who.tenant), listLive(db, who.tenant)])
        return { items: latest.map((one) => summary(one, one.revisionCount, live)), next_cursor: null }
      },
    }),
    route({
      does: 'Check a ruleset without keeping it',
      method: 'POST',
      path: '/rulesets/check',
      needs: 'rulesets:read',
      bodyBytesMax,
      body: checkRulesetBody,
      answers: checkedRuleset,
      handle: async ({ who, body }) => {
        const checked = await check(who.tenant, body.yaml)
        const diagnostics = checked.diagnostics.map(diagnosticOnWire)
        if (!checked.ok) {
          return { is_valid: false, name: null, dialect: null, diagnostics, outline: null, same_as_version: null }
        }
        const { ruleset, served } = checked
        const dialect: RulesetDialect = ruleset.dialect === 'Ruleset' ? 'ruleset' : 'contract_bundle'
        const hash = sha256Hex((dialect === 'ruleset' ? served.ruleset : served.contractBundle).text)
        return {
          is_valid: true,
          name: ruleset.name,
          dialect,
          diagnostics,
          outline: outlineOf(ruleset),
          same_as_version: (await findVersionOfHash(db, who.tenant, ruleset.name, hash)) ?? null,
        }
      },
    }),
    route({
      does: 'Try a call on a ruleset and explain the verdict',
      method: 'POST',
      path: '/rulesets/evaluate',
      needs: 'rulesets:read',
      bodyBytesMax,
      body: evaluationBody,
      answers: evaluation,
      handle: async ({ who, body: { call, ...draft } }) => (await evaluate(who.tenant, draft, call)).answer,
    }),
    route({
      does: 'Upload a ruleset as the next revision of its name',
      method: 'POST',
      path: '/rulesets',
      needs: 'rulesets:write',
      status: 201,
      bodyBytesMax,
      body: uploadRulesetBody,
      answers: rulesetRevision,
      handle: async ({ who, body, facts }) => {
        const { ruleset, version } = await upload(who, { yaml: body.yaml, note: body.note, field: 'yaml' }, facts)
        const revision = await findRevision(db, who.tenant, ruleset, version)
        if (!revision) throw notFound('revision')
        return revisionOnWire(revision)
      },
    }),
    route({
      does: 'Show a ruleset with what is live where',
      method: 'GET',
      path: '/rulesets/:name',
      needs: 'rulesets:read',
      params: rulesetNameParams,
      answers: rulesetSummary,
      handle: async ({ who, params: { name } }) => {
        const latest = await findLatestRevision(db, who.tenant, name)
        if (!latest) throw notFound('ruleset')
        return summary(latest, latest.version, await listLive(db, who.tenant, name))
      },
    }),
    route({
      does: 'List the revisions of a ruleset, newest first',
      method: 'GET',
      path: '/rulesets/:name/revisions',
      needs: 'rulesets:read',
      params: rulesetNameParams,
      query: Type.Object(pageQuery),
      answers: rulesetRevisionList,
      handle: async ({ who, params: { name }, query: { limit = 50, cursor } }) => {
        const rows = await listRevisions(db, who.tenant, name, versionIn(cursor), limit + 1)
        if (rows.length === 0 && cursor === undefined) throw notFound('ruleset')
        const items = rows.slice(0, limit).map(revisionOnWire)
        return { items, next_cursor: rows.length > limit ? String(items.at(-1)?.version) : null }
      },
    }),
    route({
      does: 'Show a revision in both dialects',
      method: 'GET',
      path: '/rulesets/:name/revisions/:version',
      needs: 'rulesets:read',
      params: rulesetVersionParams,
      answers: rulesetRevisionDetail,
      handle: async ({ who, params: { name, version } }) => {
        const revision = await findRevisionWithTexts(db, who.tenant, name, version)
        if (!revision) throw notFound('revision')
        return {
          ...revisionOnWire(revision),
          yaml: revision.texts,
          source: revision.source,
          outline: await read.outline(who.tenant, revision.texts[revision.dialect]),
        }
      },
    }),
    route({
      does: 'Compare two revisions of a ruleset',
      method: 'GET',
      path: '/rulesets/:name/diff',
      needs: 'rulesets:read',
      params: rulesetNameParams,
      query: rulesetDiffQuery,
      answers: rulesetDiff,
      handle: async ({ who, params: { name }, query: { from, to } }) => {
        const { dialect, semantic, beforeYaml, afterYaml } = await diff(who.tenant, name, from, to)
        return { name, from, to, dialect, semantic, before_yaml: beforeYaml, after_yaml: afterYaml }
      },
    }),
  ]
}

function versionIn(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined
  if (!/^\d{1,9}$/.test(cursor)) throw invalidInput('querystring.cursor', 'Take next_cursor of the page before.')
  return Number(cursor)
}

function revisionOnWire(revision: Revision): RulesetRevision {
  return {
    id: revision.id,
    ruleset: revision.ruleset,
    version: revision.version,
    dialect: revision.dialect,
    hash: ownHash(revision),
    hashes: revision.hashes,
    bytes: revision.bytes,
    rule_count: revision.ruleCount,
    note: revision.note,
    parents: revision.parents.map((parent) => ({ ...parent })),
    uploaded_by: personRef(revision.uploadedBy, revision.uploadedByEmail),
    uploaded_at: revision.uploadedAt.toISOString(),
    live_in: [...revision.liveIn],
  }
}

function summary(latest: Revision, revisionCount: number, live: readonly LiveRow[]): RulesetSummary {
  return {
    name: latest.ruleset,
    description: latest.description,
    latest: revisionOnWire(latest),
    revision_count: revisionCount,
    live: live
      .filter(({ ruleset }) => ruleset === latest.ruleset)
      .map((one) => ({
        environment: one.environment,
        version: one.version,
        rollout_id: one.rolloutId,
        rolled_out_at: one.rolledOutAt.toISOString(),
        rolled_out_by: personRef(one.rolledOutBy, one.rolledOutByEmail),
      })),
  }
}
