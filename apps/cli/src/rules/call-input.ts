import type { Call, Facts, JsonObject, JsonValue, Principal } from '@countersign/rules'

/** A call as people write it in a file of cases or on the command line. */
export type CallInput = {
  readonly call: Call
  readonly facts: Facts
  readonly output: JsonValue | undefined
}

const fields = ['tool', 'args', 'environment', 'principal', 'metadata', 'session', 'approved', 'env', 'output']
const principalFields = ['user_id', 'service_id', 'org_id', 'role', 'ticket_ref', 'claims']
const sessionFields = ['attempts', 'executions', 'per_tool']

/** Reads a call, or says in a sentence what is wrong with it. Unknown fields are refused: a misspelled one would test nothing. */
export function readCall(given: JsonValue | undefined): CallInput | string {
  if (!isObject(given)) return 'A call must be a mapping with a tool.'
  const unknown = unknownField(given, fields)
  if (unknown !== undefined) return `A call has no field "${unknown}". It has ${fields.join(', ')}.`
  const { tool, args = {}, environment, principal, metadata, session = {}, approved = [], env = {}, output } = given
  if (typeof tool !== 'string' || tool === '') return 'A call must name its tool.'
  if (!isObject(args)) return 'args must be a mapping.'
  if (environment !== undefined && typeof environment !== 'string') return 'environment must be text.'
  if (metadata !== undefined && !isObject(metadata)) return 'metadata must be a mapping.'
  if (!isObject(env) || !Object.values(env).every((one) => typeof one === 'string'))
    return 'env must map names to text.'
  if (!Array.isArray(approved) || !approved.every((one) => typeof one === 'string'))
    return 'approved must list rule ids.'
  const who = readPrincipal(principal)
  if (typeof who === 'string') return who
  const counters = readSession(session)
  if (typeof counters === 'string') return counters
  return {
    call: {
      tool,
      args,
      ...(environment === undefined ? {} : { environment }),
      ...(who ? { principal: who } : {}),
      ...(metadata === undefined ? {} : { metadata }),
    },
    facts: { counters, approved: new Set(approved.map(String)), env: texts(env) },
    output,
  }
}

function readPrincipal(given: JsonValue | undefined): Principal | undefined | string {
  if (given === undefined || given === null) return undefined
  if (!isObject(given)) return 'principal must be a mapping.'
  const unknown = unknownField(given, principalFields)
  if (unknown !== undefined) return `A principal has no field "${unknown}". It has ${principalFields.join(', ')}.`
  const { claims = {} } = given
  if (!isObject(claims)) return 'principal.claims must be a mapping.'
  for (const name of principalFields) {
    const value = given[name]
    if (name !== 'claims' && value !== undefined && value !== null && typeof value !== 'string')
      return `principal.${name} must be text.`
  }
  const word = (name: string): string | null => {
    const value = given[name]
    return typeof value === 'string' ? value : null
  }
  return {
    userId: word('user_id'),
    serviceId: word('service_id'),
    orgId: word('org_id'),
    role: word('role'),
    ticketRef: word('ticket_ref'),
    claims,
  }
}

function readSession(given: JsonValue): NonNullable<Facts['counters']> | string {
  if (!isObject(given)) return 'session must be a mapping.'
  const unknown = unknownField(given, sessionFields)
  if (unknown !== undefined) return `A session has no field "${unknown}". It has ${sessionFields.join(', ')}.`
  const { attempts = 0, executions = 0, per_tool: perTool = {} } = given
  if (!isCount(attempts) || !isCount(executions)) return 'session.attempts and session.executions must be counts.'
  if (!isObject(perTool) || !Object.values(perTool).every(isCount)) return 'session.per_tool must map tools to counts.'
  // An attempt is counted before it is decided on, and this call is one.
  return { attempts: attempts + 1, executions, perTool: counts(perTool) }
}

function counts(given: JsonObject): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, Number(value)]))
}

function texts(given: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]))
}

function unknownField(given: JsonObject, known: readonly string[]): string | undefined {
  return Object.keys(given).find((name) => !known.includes(name))
}

function isCount(value: JsonValue): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
