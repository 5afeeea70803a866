/** What a held call is, as the server tells it. */
export type HeldCall = {
  readonly id: string
  readonly status: 'pending' | 'approved' | 'denied' | 'timed_out' | 'cancelled'
  readonly environment: string
  readonly agent_id: string
  readonly key: { readonly prefix: string; readonly label: string | null }
  readonly tool: string
  readonly args_json: string | null
  readonly args_is_redacted: boolean
  readonly message: string
  readonly deadline: string
  readonly on_timeout: 'block' | 'allow'
  readonly decision: {
    readonly by: { readonly label: string }
    readonly reason: string | null
    readonly at: string
  } | null
  readonly policy: { readonly proof: 'session' | 'step-up' | 'countersignature'; readonly approvers: number }
}

export type HeldCallInFull = HeldCall & {
  readonly now: string
  readonly digest: string
  readonly why: {
    readonly sentence: string
    readonly ruleset: string | null
    readonly rules: readonly { readonly id: string; readonly message: string }[]
  }
  readonly deciders: { readonly you_may: 'approve' | 'deny' | 'nothing'; readonly obstacle: string | null } | null
  readonly votes: readonly { readonly by: { readonly label: string }; readonly approve: boolean; readonly at: string }[]
}

const proofWords = {
  session: 'signed in is enough',
  'step-up': 'a fresh proof that it is you',
  countersignature: 'signed with a passkey, in the console',
} as const

/**
 * Text of agents, fit for a terminal: what would move the cursor, change colors or turn the direction of writing is shown
 * as its code, so that nobody approves something else than what they read.
 */
export function shownText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (one) =>
    one === '\n' ? '\n    ' : `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

/** Everything a decision is about: in words, and as data. */
export function heldCallText(call: HeldCallInFull): string {
  const seconds = Math.round((Date.parse(call.deadline) - Date.parse(call.now)) / 1000)
  const rules = call.why.rules.map(({ id, message }) => `${id}: ${message}`).join('\n')
  const effect = call.on_timeout === 'allow' ? 'then the agent goes on by itself' : 'then it is blocked'
  const rows: readonly (readonly [string, string])[] = [
    ['tool', call.tool],
    ['agent', `${call.agent_id} in ${call.environment}, with the key ${call.key.label ?? ''} ${call.key.prefix}…`],
    ['says', call.message],
    ['held by', rules === '' ? call.why.sentence : `${rules}\n${call.why.sentence}`],
    ['deadline', `${call.deadline}${call.status === 'pending' ? `, in ${spanWords(seconds)}; ${effect}` : ''}`],
    [
      'needs',
      `${proofWords[call.policy.proof]}${call.policy.approvers > 1 ? `; ${call.policy.approvers} people` : ''}`,
    ],
    ...call.votes.map(
      ({ by, approve, at }) => ['said', `${by.label}: ${approve ? 'approve' : 'deny'}, ${at}`] as const,
    ),
    ['arguments', argumentsText(call)],
    ['digest', call.digest],
  ]
  return rows.map(([name, text]) => `  ${name.padEnd(10)}${shownText(text)}\n`).join('')
}

function argumentsText({ args_json: json, args_is_redacted: isRedacted }: HeldCall): string {
  const note = isRedacted ? '\n(something secret in them is not shown)' : ''
  if (json === null) return `none were kept${note}`
  return `\n${indented(json)}${note}`
}

/** By lines, without reading numbers: one that a double cannot hold keeps its digits. */
function indented(json: string): string {
  let depth = 0
  return json.replace(/"(?:\\.|[^"\\])*"|[{}[\],:]|[^"{}[\],:]+/g, (part) => {
    if (part === '{' || part === '[') {
      depth += 1
      return `${part}\n${'  '.repeat(depth)}`
    }
    if (part === '}' || part === ']') {
      depth -= 1
      return `\n${'  '.repeat(depth)}${part}`
    }
    if (part === ',') return `,\n${'  '.repeat(depth)}`
    return part === ':' ? ': ' : part
  })
}

function spanWords(seconds: number): string {
  if (seconds <= 0) return 'no time'
  if (seconds < 120) return `${seconds} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`
}

export function settledWords({ status, decision }: HeldCall): string {
  if (status === 'timed_out') return 'It timed out before anybody decided.'
  if (decision === null) return `It is ${status}.`
  const reason = decision.reason === null ? '' : `: ${shownText(decision.reason)}`
  return `It was ${status} by ${shownText(decision.by.label)} at ${decision.at}${reason}`
}

/** One line of a list, its fields set apart by tabs. */
export function heldCallLine(call: HeldCall): string {
  const { id, status, environment, agent_id: agent, tool, deadline, message } = call
  return [id, status, environment, agent, tool, deadline, message]
    .map((text) => shownText(text).replace(/\s+/g, ' '))
    .join('\t')
}
