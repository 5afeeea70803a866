import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import {
  type Call,
  type Compiled,
  type Counters,
  decidePost,
  decidePre,
  type Facts,
  type Fired,
  type JsonObject,
  type JsonValue,
  type Principal,
} from '../src/index.ts'
import { documentWith, preRule } from './documents.ts'

const page = readFileSync(new URL('../../../docs/rules.md', import.meta.url), 'utf8')

export interface Table {
  readonly heading: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** The example that stands last above it. */
  readonly example: Example | undefined
}

export interface Example {
  readonly line: number
  readonly text: string
}

/** What the page prints as examples and as tables, in order. */
export function readPage(): { readonly examples: readonly Example[]; readonly tables: readonly Table[] } {
  const examples: Example[] = []
  const tables: Table[] = []
  const lines = page.split('\n')
  let heading = ''
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? ''
    if (line.startsWith('```')) {
      const end = lines.indexOf('```', at + 1)
      if (line !== '```yaml' || end === -1) throw new Error(`line ${at + 1}: a block that is no YAML, or has no end`)
      examples.push({ line: at + 1, text: `${lines.slice(at + 1, end).join('\n')}\n` })
      at = end
    } else if (line.startsWith('#')) heading = line.replace(/^#+ /, '').replaceAll('`', '')
    else if (line.startsWith('|')) {
      const end = lines.findIndex((one, index) => index > at && !one.startsWith('|'))
      const [head = [], , ...rows] = lines.slice(at, end).map(cellsOf)
      tables.push({ heading, head, rows, example: examples.at(-1) })
      at = end - 1
    }
  }
  return { examples, tables }
}

function cellsOf(line: string): readonly string[] {
  return line
    .slice(1, line.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'))
}

/** What is set as code in a cell. */
export function codeOf(cell: string | undefined): readonly string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}

/** An example as a whole document: a list of rules and what stands at the top of one get the rest around them. */
export function wholeOf({ line, text }: Example): string {
  if (text.startsWith('apiVersion:')) return text
  if (text.startsWith('- id:')) return documentWith(text.replaceAll(/^(?=.)/gm, '  '))
  if (text.startsWith('tools:')) return documentWith(preRule('one'), text)
  throw new Error(`line ${line}: neither a document, nor a list of rules, nor tools`)
}

interface Written {
  readonly tool: string
  readonly args?: JsonObject
  readonly environment?: string
  readonly metadata?: JsonObject
  readonly env?: Readonly<Record<string, string>>
  readonly approved?: readonly string[]
  readonly principal?: { readonly user_id?: string; readonly role?: string; readonly ticket_ref?: string }
  readonly session?: {
    readonly attempts?: number
    readonly executions?: number
    readonly per_tool?: Readonly<Record<string, number>>
  }
  readonly output?: JsonValue
}

/** What becomes of a call that is written as in files of cases, in the page's own words. */
export function outcomeOf(compiled: Compiled, written: string): string {
  const given = parse(written) as Written
  const { output, approved = [], env = {}, session = {}, principal, args = {}, tool, environment, metadata } = given
  const known = 'tool args environment metadata env approved principal session output'.split(' ')
  const odd = Object.keys(given).find((key) => !known.includes(key))
  if (odd !== undefined) throw new Error(`a call has no ${odd}`)
  // An attempt is counted before it is decided on, and this call is one.
  const { attempts = 0, executions = 0, per_tool: perTool = {} } = session
  const counters: Counters = { attempts: attempts + 1, executions, perTool }
  const facts: Facts = { counters, env, approved: new Set(approved) }
  const call: Call = {
    tool,
    args,
    ...(environment === undefined ? {} : { environment }),
    ...(metadata ? { metadata } : {}),
    ...(principal ? { principal: principalOf(principal) } : {}),
  }
  const { verdict, decidedBy, hold } = decidePre(compiled, call, facts)
  if (decidedBy && verdict === 'block') return `blocked by ${spokenBy(decidedBy)}: ${decidedBy.message}`
  if (decidedBy && hold) {
    const then = hold.timeoutAction === 'block' ? 'blocked' : 'allowed'
    return `held by ${spokenBy(decidedBy)} for ${hold.timeoutSeconds} s, then ${then}: ${decidedBy.message}`
  }
  if (output === undefined) return 'allowed'
  const post = decidePost(compiled, call, { result: output }, facts)
  if (post.fired.length === 0) return 'allowed'
  return `${post.fired.map(({ name }) => `\`${name}\``).join(' and ')} fires; the agent gets \`${JSON.stringify(post.result)}\``
}

function spokenBy({ name, policyError }: Fired): string {
  return `\`${name}\`${policyError ? ', which cannot be evaluated' : ''}`
}

function principalOf({ user_id, role, ticket_ref }: NonNullable<Written['principal']>): Principal {
  return { userId: user_id ?? null, role: role ?? null, ticketRef: ticket_ref ?? null }
}
