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
  /** Ids of rules a person has approved already, with commas. */
  readonly approved: string
}

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
  approved: '',
}

/** The call the texts say, or what is wrong with each of them. */
export function readCall(draft: CallDraft): ReadCall {
  const faults: Partial<Record<CallField, string>> = {}
  const tool = draft.tool.trim()
  if (tool === '') faults.tool = 'Which tool is called?'
  const args = draft.args.trim() === '' ? {} : objectIn(draft.args)
  if (args === undefined) faults.args = 'The arguments are not a JSON object.'
  const principal = draft.principal.trim() === '' ? null : objectIn(draft.principal)
  if (principal === undefined) faults.principal = 'This is not a JSON object.'
  const output = draft.output.trim() === '' ? { value: undefined } : valueIn(draft.output)
  if (output === undefined) faults.output = 'This is not JSON; a text stands in quotes.'
  const attempts = countIn(draft.attempts)
  if (attempts === null) faults.attempts = 'A whole number from 0 on.'
  const executions = countIn(draft.executions)
  if (executions === null) faults.executions = 'A whole number from 0 on.'
  if (args === undefined || principal === undefined || output === undefined || Object.keys(faults).length > 0) {
    return { is: 'incomplete', faults }
  }
  const session = {
    ...(typeof attempts === 'number' && { attempts }),
    ...(typeof executions === 'number' && { executions }),
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
      ...(principal !== null && { principal }),
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
  return {
    tool,
    args: written(given),
    ...(environment !== undefined && { environment }),
    ...(principal && { principal: principalText(principal) }),
  }
}

const principalFields = ['user_id', 'service_id', 'org_id', 'role', 'ticket_ref', 'claims']

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
