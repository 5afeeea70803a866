import type { OpenedEntry } from '../../features/trail/index.ts'

// What the trail says, in the words of the gateway's audit log (gateway §9.8). An act it never had keeps our name.

const actions: Readonly<Record<string, string>> = {
  'session.started': 'login.complete',
  'session.refused': 'login.user_not_authorized',
  'session.ended': 'logout',
  'session.revoked': 'user.sessions.revoke',
  'factor.refused': 'mfa.verify.failed',
  'factor.added': 'mfa_method.enroll',
  'factor.preferred': 'mfa_preferences.update',
  'person.invited': 'user.create',
  'person.changed': 'user.update',
  'person.removed': 'user.delete',
  'person.locked': 'user.lock',
  'person.unlocked': 'user.unlock',
  'token.created': 'api_token.create',
  'token.changed': 'api_token.update',
  'token.revoked': 'api_token.delete',
  'trail.exported': 'audit.export',
}

/** Their kinds of actions, by the nouns of our acts; every other noun is the gateway's own doing. */
const types: Readonly<Record<string, readonly string[]>> = {
  auth: ['session', 'cli', 'password', 'device'],
  security: ['factor', 'factors', 'backup_codes', 'signing_key', 'key'],
  users: ['person', 'role'],
  tokens: ['token'],
  admin: ['setting', 'tenant', 'environment'],
}

const statuses: Readonly<Record<string, string>> = {
  done: 'success',
  refused: 'denied',
  failed: 'failed',
  held: 'blocked',
  unknown: 'error',
}

const resources: Readonly<Record<string, string>> = { person: 'user' }

const theirs = (words: Readonly<Record<string, string>>, word: string): string => words[word] ?? word
const ours = (words: Readonly<Record<string, string>>, word: string): string =>
  Object.entries(words).find(([, other]) => other === word)?.[0] ?? word

export const outcomeOf = (status: string): string => ours(statuses, status)
export const subjectKindOf = (resourceType: string): string => ours(resources, resourceType)

/** What to look for in the trail for one of their kinds of actions. */
export function nounsOf(type: string): { readonly nouns?: readonly string[]; readonly otherNouns?: readonly string[] } {
  if (type === 'gateway') return { otherNouns: Object.values(types).flat() }
  return { nouns: types[type] ?? [] }
}

export type TokenNames = ReadonlyMap<string, { readonly wireNo: number; readonly name: string }>

/** One entry as a line of the audit log. What the trail does not measure is null, never made up. */
export function auditLine(one: OpenedEntry, tokens: TokenNames) {
  const { number, entry, opened, leafHash } = one
  const { act, outcome, actor, subject, request, details, at } = entry
  const [noun = ''] = act.split('.')
  const token = actor.kind === 'api_token' ? tokens.get(actor.id) : undefined
  const hash = Buffer.from(leafHash).toString('base64')
  const factsOf = (part: string): Readonly<Record<string, unknown>> => {
    const facts = opened?.facts[part]
    return typeof facts === 'object' && facts !== null && !Array.isArray(facts) ? { ...facts } : {}
  }
  const text = (part: string, name: string): string => {
    const value = factsOf(part)[name]
    return typeof value === 'string' ? value : ''
  }
  return {
    id: number,
    first_event_id: number,
    last_event_id: number,
    first_seen: at,
    last_seen: at,
    first_hash: hash,
    last_hash: hash,
    event_count: 1,
    response_time_ms: null,
    min_response_time_ms: null,
    max_response_time_ms: null,
    avg_response_time_ms: null,
    user_email: text('actor', 'email'),
    user_name: text('actor', 'name'),
    api_token_id: token?.wireNo ?? null,
    api_token_name: token?.name ?? null,
    action_type: Object.keys(types).find((type) => types[type]?.includes(noun)) ?? 'gateway',
    action: theirs(actions, act),
    command: '',
    resource: text('subject', 'email') || subject.id,
    resource_type: theirs(resources, subject.kind),
    details: JSON.stringify(details),
    request_id: request.id ?? '',
    status: theirs(statuses, outcome),
    rbac_decision: outcome === 'refused' ? 'deny' : 'allow',
    http_status: null,
    ip_address: text('request', 'address'),
    user_agent: text('request', 'user_agent'),
    deploy_approval_request_id: null,
  }
}
