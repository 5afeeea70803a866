import type { TriedCall } from '@countersign/wire'

/** A call as it is being written: free parts are JSON text until it is tried. */
export type CallDraft = {
  readonly tool: string
  readonly args: string
  readonly environment: string
  /** JSON of who it is made for; empty for nobody. */
  readonly principal: string
  /** JSON of what the tool answered; empty: it has not run. */
  readonly output: string
  readonly attempts: string
  readonly executions: string
  /** JSON of how often tools were called before; empty: never. */
  readonly perTool: string
  /** JSON of what the call says of itself beside its arguments. */
  readonly metadata: string
  /** JSON of the agent's environment variables, for rules that ask for them. */
  readonly variables: string
  /** Ids of rules a person has approved already, with commas. */
  readonly approved: string
}

const principalFields = ['user_id', 'service_id', 'org_id', 'role', 'ticket_ref', 'claims']

export type CallField = keyof CallDraft

export type ReadCall =
  | { readonly is: 'call'; readonly call: TriedCall }
  | { readonly is: 'incomplete'; readonly faults: Readonly<Partial<Record<CallField, string>>> }

export const emptyCall: CallDraft = {
  tool: '',
  args: '{}',
  environment: '',
  principal: '',
  output: '',
  attempts: '',
  executions: '',
  perTool: '',
  metadata: '',
  variables: '',
  approved: '',
}

/** The call the texts say, or what is wrong with each of them. */
export function readCall(draft: CallDraft): ReadCall {
  const faults: Partial<Record<CallField, string>> = {}
  const tool = draft.tool.trim()
  if (tool === '') faults.tool = 'Which tool is called?'
  const args = draft.args.trim() === '' ? {} : objectIn(draft.args)
  if (args === undefined) faults.args = 'The arguments are not a JSON object.'
  const principal = optionalObject(draft.principal)
  if (principal === undefined) faults.principal = 'This is not a JSON object.'
  const stranger = Object.keys(principal ?? {}).find((name) => !principalFields.includes(name))
  if (stranger !== undefined) faults.principal = `${stranger} is not one of ${principalFields.join(', ')}.`
  const metadata = optionalObject(draft.metadata)
  if (metadata === undefined) faults.metadata = 'This is not a JSON object.'
  const env = textsIn(draft.variables)
  if (env === undefined) faults.variables = 'A JSON object of texts, as { "REGION": "eu" }.'
  const perTool = countsIn(draft.perTool)
  if (perTool === undefined) faults.perTool = 'A JSON object of whole numbers, as { "send_mail": 3 }.'
  const output = draft.output.trim() === '' ? { value: undefined } : valueIn(draft.output)
  if (output === undefined) faults.output = 'This is not JSON; a text stands in quotes.'
  const attempts = countIn(draft.attempts)
  if (attempts === null) faults.attempts = 'A whole number from 0 on.'
  const executions = countIn(draft.executions)
  if (executions === null) faults.executions = 'A whole number from 0 on.'
  // Each of them that is undefined has its fault; named again for the types.
  if (args === undefined || output === undefined || Object.keys(faults).length > 0) return { is: 'incomplete', faults }
  const session = {
    ...(typeof attempts === 'number' && { attempts }),
    ...(typeof executions === 'number' && { executions }),
    ...(perTool && { per_tool: perTool }),
  }
  const approved = draft.approved
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '')
  return {
    is: 'call',
    call: {
      tool,
      args,
      ...(draft.environment !== '' && { environment: draft.environment }),
      ...(principal && { principal }),
      ...(metadata && { metadata }),
      ...(env && { env }),
      ...(output.value !== undefined && { output: output.value }),
      ...(Object.keys(session).length > 0 && { session }),
      ...(approved.length > 0 && { approved }),
    },
  }
}

const toolNames = ['tool_name', 'tool', 'name'] as const
const argsNames = ['tool_args', 'args', 'arguments', 'tool_input', 'input'] as const

/** Takes a whole call apart, as logs, events and clients write it; undefined for what is not recognized as one. */
export function callIn(text: string): Partial<CallDraft> | undefined {
  const whole = objectIn(text)
  if (!whole) return undefined
  const inner = objectOf(whole['params']) ?? objectOf(whole['function']) ?? whole
  const tool = firstText(inner, toolNames)
  const args = argsNames.map((name) => inner[name]).find((value) => value !== undefined)
  // Some write the arguments as JSON in a string.
  const given = typeof args === 'string' ? objectIn(args) : objectOf(args)
  if (tool === undefined || given === undefined) return undefined
  const environment = firstText(whole, ['environment', 'env'])
  const principal = objectOf(whole['principal'])
  const metadata = objectOf(whole['metadata'])
  return {
    tool,
    args: written(given),
    ...(metadata && Object.keys(metadata).length > 0 && { metadata: written(metadata) }),
    ...(environment !== undefined && { environment }),
    ...(principal && { principal: principalText(principal) }),
  }
}

/** Of what an agent said about whom it acts for, what rules can ask about; empty when that is nothing. */
export function principalText(principal: unknown): string {
  const known = Object.entries(objectOf(principal) ?? {}).filter(
    ([name, value]) => principalFields.includes(name) && value !== null && value !== undefined,
  )
  return known.length === 0 ? '' : written(Object.fromEntries(known))
}

/** JSON as people read it. */
export function written(value: unknown): string {
  return JSON.stringify(value, null, 2)
}

function valueIn(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

/** Null for nothing written, undefined for what is no object. */
function optionalObject(text: string): Record<string, unknown> | null | undefined {
  return text.trim() === '' ? null : objectIn(text)
}

function textsIn(text: string): Record<string, string> | null | undefined {
  const found = optionalObject(text)
  if (!found) return found
  const texts = Object.entries(found).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []))
  return texts.length === Object.keys(found).length ? (Object.fromEntries(texts) as Record<string, string>) : undefined
}

const countMax = 1_000_000_000

function countsIn(text: string): Record<string, number> | null | undefined {
  const found = optionalObject(text)
  if (!found) return found
  const counts = new Map<string, number>()
  for (const [name, value] of Object.entries(found)) {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > countMax) return undefined
    counts.set(name, value)
  }
  return Object.fromEntries(counts)
}

function objectIn(text: string): Record<string, unknown> | undefined {
  return objectOf(valueIn(text)?.value)
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.fromEntries(Object.entries(value))
}

function firstText(from: Readonly<Record<string, unknown>>, names: readonly string[]): string | undefined {
  return names.map((name) => from[name]).find((value): value is string => typeof value === 'string' && value !== '')
}

/** Undefined for nothing written, null for what is no count. */
function countIn(text: string): number | undefined | null {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  return /^\d{1,9}$/.test(trimmed) ? Number(trimmed) : null
}
