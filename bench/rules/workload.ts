import type { Call } from '../../packages/rules/src/index.ts'

/** Rules and calls to decide, in our language and, where they can be said there, in Cedar's. */
export interface Workload {
  readonly name: string
  readonly rules: number
  /** Rules for the tool that is called. */
  readonly matching: number
  /** The rules of a document, as YAML list items. */
  readonly source: string
  /** The same without what Cedar has no words for: paths of a sandbox. Patterns become `like`, which is easier. */
  readonly cedar: string
  readonly calls: readonly Call[]
}

const toolCount = 20

/**
 * 20 tools, every third rule with a pattern, at most 5 sandbox rules, and as many rules on the tool that is called as told.
 * Every call is allowed, so that every rule counts.
 */
export function mixed(name: string, count: number, matching: number): Workload {
  const sandboxes = Math.min(5, Math.floor(count / 20))
  const own = matching - sandboxes
  const lines: string[] = []
  const policies = ['permit(principal, action, resource);']
  const rest = count - sandboxes
  for (let n = 0; n < rest; n += 1) {
    // Spread evenly over the document, as rules of many tools are.
    const isOwn = Math.floor(((n + 1) * own) / rest) > Math.floor((n * own) / rest)
    const tool = isOwn ? 'Bash' : `tool_${n % (toolCount - 1)}`
    const [when, inCedar] = condition(n)
    lines.push(`  - {id: r${n}, type: pre, tool: ${tool}, when: {${when}}, then: {action: block, message: Stopped}}`)
    policies.push(`forbid(principal, action == Action::"${tool}", resource) when { ${inCedar} };`)
  }
  for (let n = 0; n < sandboxes; n += 1) {
    lines.push(
      `  - {id: s${n}, type: sandbox, tool: Bash, within: [/srv, /tmp], not_within: [/srv/secret${n}], message: Outside}`,
    )
  }
  return { name, rules: count, matching, source: lines.join('\n'), cedar: policies.join('\n'), calls }
}

function condition(n: number): readonly [string, string] {
  switch (n % 6) {
    case 0:
      return [
        `args.command: {matches: "\\\\bforbidden${n}\\\\s+--force\\\\b"}`,
        `context.command like "*forbidden${n}*--force*"`,
      ]
    case 1:
      return [`args.host: {equals: "host-${n}"}`, `context has host && context.host == "host-${n}"`]
    case 2:
      return [
        `all: [{environment: {equals: env-${n}}}, {args.command: {contains: "deploy-${n}"}}]`,
        `context.environment == "env-${n}" && context.command like "*deploy-${n}*"`,
      ]
    case 3:
      return [
        `args.command: {matches_any: ["drop_${n}\\\\d+", "(?i)truncate_${n}"]}`,
        `context.command like "*drop_${n}*" || context.command like "*truncate_${n}*"`,
      ]
    case 4:
      return [
        `any: [{principal.role: {in: [intern-${n}, guest-${n}]}}, {args.command: {starts_with: "rm${n} "}}]`,
        `["intern-${n}", "guest-${n}"].contains(context.role) || context.command like "rm${n} *"`,
      ]
    default:
      return [
        `args.command: {contains_any: ["secret-${n}", "token-${n}"]}`,
        `context.command like "*secret-${n}*" || context.command like "*token-${n}*"`,
      ]
  }
}

/** All rules on one tool, and no literal in any of them that could be looked for. */
export function worst(count: number): Workload {
  const lines = Array.from({ length: count }, (_, n) => {
    return `  - {id: r${n}, type: pre, tool: "*", when: {args.command: {matches: "^[a-c]{${(n % 50) + 2}}\\\\d[x-z]?\\\\w*[0-9]{${(n % 7) + 1}}$"}}, then: {action: block, message: m}}`
  })
  return { name: 'worst case', rules: count, matching: count, source: lines.join('\n'), cedar: '', calls }
}

const principal = { role: 'engineer', userId: 'u1' }
const calls: readonly Call[] = [
  { tool: 'Bash', args: { command: 'git status', host: 'host-a' }, principal },
  { tool: 'Bash', args: { command: 'kubectl get pods --namespace payments -o wide' }, principal },
  { tool: 'Bash', args: { command: 'cat /srv/src/index.ts', host: 'host-b' }, principal },
  { tool: 'Bash', args: { command: 'npm test -- --reporter dot', cwd: '/srv/app' }, principal },
]
