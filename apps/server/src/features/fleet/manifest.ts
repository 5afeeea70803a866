/** The rules an agent says it has loaded, as far as they could be read; not proof of anything. */
export type Manifest = {
  readonly revisionHash: string | null
  readonly rules: readonly ManifestRule[]
}

export type ManifestRule = {
  readonly id: string
  readonly type: string | null
  readonly tools: readonly string[]
  readonly mode: string | null
}

const rulesMax = 2_000
const toolsMax = 100
const textMax = 256

/** Reads what gates send (agent-api §6.7). Whatever is odd in it is left out; nothing of it is an error. */
export function readManifest(given: {
  readonly policy_version?: unknown
  readonly rules?: unknown
  readonly contracts?: unknown
}): Manifest {
  const rules = Array.isArray(given.rules) ? given.rules : given.contracts
  const hash = given.policy_version
  return {
    revisionHash: typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash) ? hash : null,
    rules: Array.isArray(rules) ? rules.slice(0, rulesMax).flatMap(readRule) : [],
  }
}

function readRule(given: unknown): readonly ManifestRule[] {
  if (typeof given !== 'object' || given === null) return []
  const { id, type, tool, tools, mode } = given as Readonly<Record<string, unknown>>
  if (typeof id !== 'string' || id === '') return []
  const named = [tool, tools].flat().filter((one) => typeof one === 'string')
  return [
    { id: fit(id), type: textOf(type), tools: named.slice(0, toolsMax).map((one) => fit(one)), mode: textOf(mode) },
  ]
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? fit(value) : null
}

/** PostgreSQL stores neither U+0000 nor half a character. */
function fit(text: string): string {
  return text.slice(0, textMax).replaceAll('\u0000', '').toWellFormed()
}
