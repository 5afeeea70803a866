import { type Compiled, type CompileOptions, compile, parseRuleset, type Tool } from '@countersign/rules'
import { sha256 } from './crypto.ts'
import { RevisionRefused } from './errors.ts'
import { resolvePath } from './resolve-path.ts'

/** One revision made ready to judge calls. Never changed: another revision is another object. */
export type Revision = {
  readonly name: string
  /** SHA-256 of its bytes: what the server knows it by. */
  readonly hash: string
  readonly compiled: Compiled
  readonly tools: ReadonlyMap<string, Tool>
}

export type RevisionOptions = {
  readonly workingDirectory: string
  readonly enforcesOutputOnUnsafe: boolean
}

/** What every server serves at most, in either dialect. */
export const revisionBytesMax = 524_288

/** Reads, checks and compiles; throws `RevisionRefused` with the first thing that is wrong. */
export function loadRevision(bytes: Uint8Array, options: RevisionOptions): Revision {
  if (bytes.byteLength > revisionBytesMax) {
    throw new RevisionRefused(`The ruleset is larger than ${revisionBytesMax} bytes.`)
  }
  const parsed = parseRuleset(bytes, { isServed: true })
  if (!parsed.ok) {
    const [first] = parsed.diagnostics.filter(({ severity }) => severity === 'error')
    throw new RevisionRefused(
      `The ruleset does not load: ${first ? `line ${first.line}: ${first.message}` : 'it has errors.'}`,
    )
  }
  const { ruleset } = parsed
  // Without its parent's rules it would allow what they forbid. Servers send it with the parent written in.
  if (ruleset.extends !== undefined) {
    throw new RevisionRefused(`The ruleset extends ${ruleset.extends}, which only a server can write into it.`)
  }
  const host: CompileOptions = {
    workingDirectory: options.workingDirectory,
    resolvePath,
    enforcesOutputOnUnsafe: options.enforcesOutputOnUnsafe,
  }
  const tools = new Map(ruleset.tools.map((tool) => [tool.name, tool]))
  return { name: ruleset.name, hash: sha256(bytes), compiled: compile(ruleset, host), tools }
}
