import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  type Diagnostic,
  type ParentSource,
  parseRuleset,
  type Ruleset,
  renderings,
  resolveExtends,
} from '@countersign/rules'

/** A file that was read: its model with everything it extends merged in, or what is wrong with it. */
export type LoadedRuleset =
  | {
      readonly ok: true
      readonly file: string
      readonly ruleset: Ruleset
      readonly text: string
      readonly diagnostics: readonly Diagnostic[]
    }
  | { readonly ok: false; readonly file: string; readonly diagnostics: readonly Diagnostic[] }

/** A parent is looked for beside the file, as NAME.yaml or NAME.yml. */
const extensions = ['.yaml', '.yml']

/** Reads a ruleset and what it extends. A file that is not there is an error of its own, not of the ruleset. */
export async function loadRuleset(file: string, isStrict = false): Promise<LoadedRuleset> {
  const source = await readGiven(file)
  const own = parseRuleset(source, { isServed: true, isStrict })
  if (!own.ok) return { ok: false, file, diagnostics: own.diagnostics }
  const parents = new Map<string, ParentSource>()
  for (;;) {
    const resolved = resolveExtends(source, parents, { isServed: true, isStrict })
    if (resolved.ok) return servable(file, resolved.text, resolved.ruleset, own.diagnostics)
    const { missing } = resolved
    const parent = missing === undefined ? undefined : await readParent(dirname(file), missing)
    if (missing === undefined || parent === undefined || parents.has(missing)) {
      return { ok: false, file, diagnostics: resolved.diagnostics }
    }
    parents.set(missing, { source: parent, revision: missing })
  }
}

async function readGiven(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EISDIR')) throw cause
    throw new Error(`${file} is a folder. Name its files: ${join(file, '*.yaml')}`, { cause })
  }
}

/** What cannot be handed out in both dialects would be refused by the server too. */
function servable(file: string, text: string, ruleset: Ruleset, found: readonly Diagnostic[]): LoadedRuleset {
  const rendered = renderings(text)
  if (!rendered.ok) return { ok: false, file, diagnostics: rendered.diagnostics }
  return { ok: true, file, ruleset, text, diagnostics: found }
}

async function readParent(folder: string, name: string): Promise<Uint8Array | undefined> {
  // A name with a path in it would read files the ruleset has no business with.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return undefined
  for (const extension of extensions) {
    try {
      return await readFile(join(folder, `${name}${extension}`))
    } catch (cause) {
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw cause
    }
  }
  return undefined
}
