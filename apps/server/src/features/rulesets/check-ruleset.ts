import type { Diagnostic, ParentSource, Rendering, Ruleset } from '@countersign/rules'
import type { Sql } from '../../kernel/db.ts'
import type { ReadRulesets } from './read-rulesets.ts'
import type { PinnedRevision } from './revision.ts'
import { findParent } from './revisions-table.ts'

export type Checked =
  | {
      readonly ok: true
      /** As written: what `extends` brings in is in the renderings, not here. */
      readonly ruleset: Ruleset
      readonly served: { readonly ruleset: Rendering; readonly contractBundle: Rendering; readonly ruleCount: number }
      readonly parents: readonly PinnedRevision[]
      readonly diagnostics: readonly Diagnostic[]
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }

type Needs = { readonly db: Sql; readonly read: Pick<ReadRulesets, 'renderings' | 'resolve'> }

export type CheckRuleset = (tenant: string, yaml: string) => Promise<Checked>

/** Paths of the API that a ruleset's name would hide. */
const takenNames = new Set(['current'])
const nameLengthMax = 128

/**
 * Everything that must hold before a document becomes a revision: it parses, both dialects can be handed out, its
 * parents exist and are pinned, its name can be asked for.
 */
export function checkRuleset(needs: Needs): CheckRuleset {
  return async (tenant, yaml) => {
    const own = await needs.read.renderings(tenant, yaml)
    const others = own.diagnostics.filter(({ code }) => code !== 'render.extends')
    if (own.ok) {
      const wrongName = checkName(yaml, own.ruleset.name)
      if (wrongName) return { ok: false, diagnostics: [wrongName, ...own.diagnostics] }
      const served = { ...own.renderings, ruleCount: own.ruleset.rules.length }
      return { ok: true, ruleset: own.ruleset, served, parents: [], diagnostics: own.diagnostics }
    }
    const isWhole = others.length === own.diagnostics.length
    if (isWhole || others.some(({ severity }) => severity === 'error')) return { ok: false, diagnostics: others }
    return resolveAndRender(needs, tenant, yaml, own.diagnostics)
  }
}

/** Looks the parents up one by one: their resolved text is what is merged, so one pin holds the whole chain. */
async function resolveAndRender(
  { db, read }: Needs,
  tenant: string,
  yaml: string,
  found: readonly Diagnostic[],
): Promise<Checked> {
  const parents = new Map<string, ParentSource>()
  const pins = new Map<string, PinnedRevision>()
  for (;;) {
    const resolved = await read.resolve(tenant, yaml, parents)
    if (!resolved.ok) {
      const parent = resolved.missing === undefined ? undefined : await findParent(db, tenant, resolved.missing)
      if (!parent || pins.has(parent.name)) return { ok: false, diagnostics: resolved.diagnostics }
      parents.set(parent.name, { source: parent.text, revision: parent.hash })
      pins.set(parent.name, { name: parent.name, version: parent.version, hash: parent.hash })
      continue
    }
    const whole = await read.renderings(tenant, resolved.text)
    const warnings = found.filter(({ severity }) => severity === 'warning')
    const wrongName = checkName(yaml, resolved.ruleset.name)
    if (wrongName) return { ok: false, diagnostics: [wrongName, ...warnings] }
    if (!whole.ok) return { ok: false, diagnostics: atExtends(found, whole.diagnostics) }
    return {
      ok: true,
      ruleset: resolved.ruleset,
      served: { ...whole.renderings, ruleCount: whole.ruleset.rules.length },
      parents: [...pins.values()],
      diagnostics: warnings,
    }
  }
}

/** Positions in the merged text mean nothing to its author: what is wrong with it is told where he extends. */
function atExtends(found: readonly Diagnostic[], inMerged: readonly Diagnostic[]): readonly Diagnostic[] {
  const place = found.find(({ code }) => code === 'render.extends')
  const errors = inMerged.filter(({ severity }) => severity === 'error')
  return place ? errors.map(({ severity, code, message }) => ({ ...place, severity, code, message })) : errors
}

function checkName(yaml: string, name: string): Diagnostic | undefined {
  const problem = takenNames.has(name)
    ? `A ruleset cannot be called \`${name}\`: the address /rulesets/${name} means something else.`
    : name.length > nameLengthMax
      ? `The name has ${name.length} characters; at most ${nameLengthMax} can be asked for by agents.`
      : undefined
  if (problem === undefined) return undefined
  const offset = Math.max(0, yaml.search(/^\s+name:/m))
  const start = yaml.indexOf('name:', offset)
  const line = yaml.slice(0, start).split('\n').length
  const column = start - (yaml.lastIndexOf('\n', start - 1) + 1) + 1
  return {
    severity: 'error',
    code: 'meta.name',
    message: problem,
    path: '/metadata/name',
    line,
    column,
    endLine: line,
    endColumn: column + 'name'.length,
    offset: start,
    endOffset: start + 'name'.length,
    hint: 'Choose another name.',
  }
}
