import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { Bus } from '../../kernel/bus.ts'
import type { Keyring } from '../../kernel/crypto.ts'
import type { Sql } from '../../kernel/db.ts'
import { digestRenewals } from '../../kernel/digest-renewals.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { shareAnswers } from '../../kernel/share-answers.ts'
import type { Agent } from '../roles/index.ts'
import { findLiveKey, type LiveKey, noteKeyUses } from './agent-keys-table.ts'

type Needs = {
  readonly db: Sql
  readonly clock: { readonly now: () => Date }
  readonly keyring: Keyring
  readonly bus: Pick<Bus, 'on' | 'isProven'>
}

/** Keys longer than this were never ours; they are refused before anything is computed. */
const keyLengthMax = 300
const knownMax = 50_000
/** agent-api §1.4 */
const agentId = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$/

export type AgentReader = {
  readonly agent: (request: FastifyRequest) => Promise<Agent | undefined>
  /** Who asks, if that is in memory and beyond doubt. Nothing is said of anybody else, not even that they are refused. */
  readonly fromMemory: (headers: IncomingHttpHeaders) => Agent | undefined
  /** Writes down when keys were last used, and digests under the current secret that were under an older; called now and then. */
  readonly flushUses: () => Promise<void>
}

/**
 * Finds the key behind a bearer token. Keys are 256 random bits, so a keyed digest finds them in microseconds; those
 * found are kept while the bus, which tells of revocations, is proven alive.
 */
export function authenticateAgent({ db, clock, keyring, bus }: Needs): AgentReader {
  const known = new Map<string, LiveKey>()
  const lookups = shareAnswers<LiveKey | undefined>()
  let uses = new Map<string, { tenant: string; id: string; at: Date }>()
  const renewals = digestRenewals(db, 'agent_keys')
  let changes = 0
  const forget = (id: unknown): void => {
    changes += 1
    lookups.forget()
    for (const [token, key] of known) if (key.id === id) known.delete(token)
  }
  for (const topic of ['key.revoked', 'key.changed'] as const) {
    bus.on(topic, ({ body }) => {
      forget(body['key_id'])
    })
  }

  const keptOf = (token: string): LiveKey | undefined => (bus.isProven() ? known.get(token) : undefined)

  const read = async (token: string): Promise<LiveKey | undefined> => {
    const kept = keptOf(token)
    if (kept) return kept
    if (!token.startsWith('edk_') || token.length > keyLengthMax) return undefined
    const before = changes
    const digests = keyring.digests('agent-key', token)
    const key = await lookups.ask(token, () => findLiveKey(db, digests))
    if (!key) return undefined
    renewals.note({ tenant: key.tenant, id: key.id, was: key.digest }, digests[0])
    if (known.size >= knownMax) known.clear()
    // News that came while it was read may have been of this very key, and will not come again.
    if (before === changes) known.set(token, key)
    return key
  }

  const noteUse = ({ tenant, id }: LiveKey): void => {
    uses.set(id, { tenant, id, at: clock.now() })
  }

  return {
    agent: async (request) => {
      const header = request.headers.authorization
      if (header === undefined) return undefined
      if (!header.startsWith('Bearer '))
        throw new Problem(problems.notSignedIn, 'Authorization header must use Bearer scheme.')
      const key = await read(header.slice('Bearer '.length).trim())
      if (!key) throw new Problem(problems.notSignedIn, 'Invalid or revoked API key.')
      noteUse(key)
      return agentOf(key, claimedAgentId(request.headers))
    },
    fromMemory: (headers) => {
      const header = headers.authorization
      const key = header?.startsWith('Bearer ') ? keptOf(header.slice('Bearer '.length).trim()) : undefined
      if (!key || !isAgentIdOrNone(headers['x-edictum-agent-id'])) return undefined
      noteUse(key)
      return agentOf(key, claimedAgentId(headers))
    },
    flushUses: async () => {
      await renewals.flush()
      if (uses.size === 0) return
      const batch = [...uses.values()]
      uses = new Map()
      await noteKeyUses(db, batch)
    },
  }
}

function agentOf(key: LiveKey, agentId: string | undefined): Agent {
  return {
    is: 'agent',
    tenant: key.tenant,
    keyId: key.id,
    keyPrefix: key.prefix,
    environment: key.environment,
    rendering: key.rendering,
    signingKeyId: key.signingKeyId,
    mayDecide: key.mayDecide,
    agentId,
  }
}

function isAgentIdOrNone(given: string | readonly string[] | undefined): given is string | undefined {
  return given === undefined || given === '' || (typeof given === 'string' && agentId.test(given))
}

function claimedAgentId(headers: IncomingHttpHeaders): string | undefined {
  const given = headers['x-edictum-agent-id']
  if (isAgentIdOrNone(given)) return given === '' ? undefined : given
  throw new Problem(
    problems.invalidInput,
    'X-Edictum-Agent-Id must begin with a letter or digit and hold at most 128 letters, digits, dots, underscores and hyphens.',
    {
      errors: [{ path: 'header.x-edictum-agent-id', message: 'must match ^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$' }],
    },
  )
}
