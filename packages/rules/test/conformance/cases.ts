import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'

export type Kind = 'ruleset' | 'rejection' | 'workflow' | 'adapter'

/** One public case. What is in it is read by the runner of its kind. */
export interface Case {
  readonly id: string
  readonly kind: Kind
  readonly data: Data
  /** Rulesets or workflows of its file, by name. */
  readonly shared: Data
}

export type Data = Readonly<Record<string, unknown>>

const root = new URL('../../conformance/fixtures/', import.meta.url)

/** What must be there. A runner that silently finds nothing must fail. */
const expected: Readonly<Record<string, { readonly files: number; readonly cases: number }>> = {
  behavioral: { files: 21, cases: 107 },
  adversarial: { files: 5, cases: 15 },
  rejection: { files: 5, cases: 42 },
  workflow: { files: 1, cases: 10 },
  'workflow-v0.18': { files: 4, cases: 18 },
  'workflow-coding-guard': { files: 1, cases: 6 },
  'workflow-adapter-conformance': { files: 1, cases: 8 },
}

export function loadCases(): readonly Case[] {
  const cases = Object.entries(expected).flatMap(([folder, { files, cases: count }]) => {
    const names = readdirSync(new URL(`${folder}/`, root)).toSorted()
    const found = names.flatMap((name) => readFile(folder, new URL(`${folder}/${name}`, root)))
    if (names.length !== files || found.length !== count) {
      throw new Error(`${folder}: expected ${count} cases in ${files} files, found ${found.length} in ${names.length}.`)
    }
    return found
  })
  if (new Set(cases.map((one) => one.id)).size !== 206) throw new Error('Expected 206 different case ids.')
  return cases
}

function readFile(folder: string, url: URL): readonly Case[] {
  const file: Data = parse(readFileSync(url, 'utf8'), { schema: 'core' })
  const fixtures = file['fixtures']
  if (!Array.isArray(fixtures)) throw new Error(`${url.pathname}: no fixtures.`)
  const shared = asData(file['workflows'] ?? file['rulesets'] ?? {})
  return fixtures.map((data: Data) => ({ id: String(data['id']), kind: kindOf(folder, file), data, shared }))
}

function kindOf(folder: string, file: Data): Kind {
  if (folder === 'rejection') return 'rejection'
  if (folder === 'workflow-adapter-conformance') return 'adapter'
  return file['workflows'] ? 'workflow' : 'ruleset'
}

export function asData(value: unknown): Data {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('Expected a mapping in a fixture.')
  return value as Data
}

export function asList(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new Error('Expected a list in a fixture.')
  return value
}
