import { stringify } from 'yaml'
import {
  type Call,
  compile,
  decidePost,
  decidePre,
  type JsonValue,
  parseRuleset,
  renderings,
  resolveExtends,
} from '../../src/index.ts'
import { asData, type Case, type Data } from './cases.ts'
import { knownDefects } from './known-defects.ts'

interface Outcome {
  readonly verdict: string
  readonly reason: string
  readonly tags: readonly string[]
  readonly isObserved: boolean
}

/** What differs from the expectation; empty when the case holds. Every document is run in both vocabularies. */
export function runRulesetCase({ id, data, shared }: Case): readonly string[] {
  const expected = asData(data['expected'])
  const verdict = knownDefects.get(id)?.verdict ?? expected['verdict']
  if (typeof verdict !== 'string') return ['the case has no expected verdict']
  const source = sourceOf(data, shared)
  const both = renderings(source, { isServed: false })
  if (!both.ok) return [`not rendered: ${JSON.stringify(both.diagnostics[0])}`]
  return [both.renderings.ruleset.text, both.renderings.contractBundle.text].flatMap((text, index) => {
    const where = index === 0 ? 'Ruleset' : 'ContractBundle'
    return differences(evaluate(text, data), verdict, expected, knownDefects.has(id)).map((one) => `${where}: ${one}`)
  })
}

function sourceOf(data: Data, shared: Data): string {
  const { contract } = data
  if (typeof contract !== 'string') return stringify(contract)
  const parents = new Map(
    Object.entries(shared).map(([name, one]) => [name, { source: stringify(one), revision: name }]),
  )
  const resolved = resolveExtends(stringify(shared[contract]), parents)
  if (!resolved.ok) throw new Error(`extends: ${JSON.stringify(resolved.diagnostics[0])}`)
  return resolved.text
}

function differences(outcome: Outcome, verdict: string, expected: Data, isDefect: boolean): readonly string[] {
  const found: string[] = []
  if (outcome.verdict !== verdict) found.push(`verdict ${outcome.verdict}, expected ${verdict}`)
  if (isDefect) return found
  const { message_contains: part, tags, audit_action: action } = expected
  if (typeof part === 'string' && !outcome.reason.includes(part))
    found.push(`reason ${JSON.stringify(outcome.reason)} lacks ${part}`)
  if (tags !== undefined && JSON.stringify(tags) !== JSON.stringify(outcome.tags))
    found.push(`tags ${outcome.tags.join()}`)
  if (action === 'observed' && !outcome.isObserved) found.push('nothing was observed')
  return found
}

const declared = { warn: 'warned', redact: 'redacted', block: 'denied', ask: 'denied' } as const

function evaluate(text: string, data: Data): Outcome {
  const parsed = parseRuleset(text)
  if (!parsed.ok) throw new Error(`does not load: ${JSON.stringify(parsed.diagnostics[0])}`)
  const compiled = compile(parsed.ruleset)
  const call = callOf(data)
  const session = data['session'] === undefined ? {} : asData(data['session'])
  const counters = {
    attempts: Number(session['attempts'] ?? 0),
    executions: Number(session['tool_calls'] ?? 0),
    perTool: (session['per_tool'] ?? {}) as Record<string, number>,
  }
  const environment = data['environment'] === undefined ? {} : asData(data['environment'])
  const env = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]))
  const approved = new Set<string>()
  for (let round = 0; round < 32; round += 1) {
    const decision = decidePre(compiled, call, { counters, env, approved })
    const { decidedBy: by } = decision
    const isObserved = decision.observed.length > 0
    const denied = { verdict: 'denied', reason: by?.message ?? '', tags: by?.tags ?? [], isObserved }
    if (decision.verdict === 'block') return denied
    if (decision.verdict === 'ask') {
      if (isRefused(data, decision.hold?.timeoutAction)) return denied
      approved.add(by?.name ?? '')
      continue
    }
    if (!('result' in data)) return { verdict: 'allowed', reason: '', tags: [], isObserved }
    const result = data['result'] as JsonValue
    const text = typeof result === 'object' && result !== null && 'output' in result ? result.output : undefined
    const post = decidePost(compiled, call, { result, ...(typeof text === 'string' ? { text } : {}) }, { env })
    const first = post.fired.find((one) => !one.isObserved)
    if (!first) return { verdict: 'allowed', reason: '', tags: [], isObserved: isObserved || post.fired.length > 0 }
    return { verdict: declared[first.action], reason: first.message, tags: first.tags, isObserved }
  }
  throw new Error('more than 32 approvals')
}

/** Without any of the approval keys a human is taken to say yes. */
function isRefused(data: Data, timeoutAction: string | undefined): boolean {
  if (data['approval_pending'] === true || data['approval_decision'] === 'rejected') return true
  return data['timeout_expired'] === true && timeoutAction === 'block'
}

function callOf(data: Data): Call {
  const envelope = asData(data['envelope'])
  const who = data['principal'] === undefined ? undefined : asData(data['principal'])
  const name = who?.['name']
  return {
    tool: String(envelope['tool_name']),
    args: (envelope['arguments'] ?? {}) as Call['args'],
    ...(who
      ? {
          principal: {
            userId: (who['id'] ?? null) as string | null,
            role: (who['role'] ?? null) as string | null,
            claims: typeof name === 'string' ? { name } : {},
          },
        }
      : {}),
    ...(data['call_metadata'] === undefined ? {} : { metadata: data['call_metadata'] as Call['args'] }),
  }
}
