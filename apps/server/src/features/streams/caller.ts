import type { Agent, RequestFacts } from '../roles/index.ts'
import type { Caller } from './connection.ts'
import type { Prefix } from './rollout.ts'

export type StreamQuery = {
  readonly bundle_name?: string | undefined
  readonly policy_version?: string | undefined
  readonly tags?: string | undefined
}

type Tags = Readonly<Record<string, string>>

const identifier = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$/
const hash = /^[0-9a-f]{64}$/
const tagsMax = 64
/** One for all who have none. */
const noTags: Tags = Object.freeze({})
// Neither can be stored, and no SDK lets them through.
const control = /[\u0000-\u001f\u007f]/

/** Who opens a stream and what he says of himself. Odd words are passed over: an agent that is refused never says so. */
export function readCaller(agent: Agent, query: StreamQuery, prefix: Prefix, facts: RequestFacts): Caller {
  const { bundle_name: name, policy_version: version } = query
  return {
    tenant: agent.tenant,
    environment: agent.environment,
    agentId: agent.agentId ?? `key:${agent.keyPrefix}`,
    keyId: agent.keyId,
    keyRendering: agent.rendering,
    signingKeyId: agent.signingKeyId,
    prefix,
    client: clientOf(facts.userAgent),
    address: facts.address,
    asked: name !== undefined && identifier.test(name) ? name : undefined,
    reported: version !== undefined && hash.test(version) ? version : undefined,
    tags: readTags(query.tags),
  }
}

/** The family of SDK, as far as its HTTP library tells. */
function clientOf(userAgent: string): string {
  if (/^python-httpx\//i.test(userAgent)) return 'python'
  if (/^Go-http-client\//i.test(userAgent)) return 'go'
  if (/^(node|undici)\b/i.test(userAgent)) return 'typescript'
  return 'other'
}

/** A JSON object of texts; anything else is no tags (agent-api §3.1). */
function readTags(text: string | undefined): Tags {
  if (text === undefined || text.length > 65_536) return noTags
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Unreadable tags are no tags; the stream itself must not fail for them.
    return noTags
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return noTags
  const tags = Object.entries(value).filter((pair): pair is [string, string] => isTag(pair[0], pair[1]))
  return tags.length === 0 ? noTags : Object.fromEntries(tags.slice(0, tagsMax))
}

/** What an agent says of itself laid over what operators say of it. */
export function layTags(theirs: Tags, own: Tags): Tags {
  const hasTheirs = Object.keys(theirs).length > 0
  return hasTheirs ? { ...theirs, ...own } : own
}

function isTag(name: string, value: unknown): value is string {
  if (typeof value !== 'string' || name.length === 0 || name.length > 128 || value.length > 256) return false
  return [name, value].every((text) => text.isWellFormed() && !control.test(text)) && name !== '__proto__'
}
