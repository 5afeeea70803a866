import {
  retireSigningKeyBody,
  rotatedSigningKey,
  type SigningKey,
  signingKey,
  signingKeyFollowers,
  signingKeyList,
  signingKeyParams,
} from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import type { retireSigningKey } from './retire-signing-key.ts'
import type { rotateSigningKey } from './rotate-signing-key.ts'
import { followersOf } from './signing-key-followers.ts'
import { findSigningKey, listSigningKeys, type SigningKeyRow } from './signing-keys-table.ts'

type Needs = {
  readonly db: Sql
  readonly rotate: ReturnType<typeof rotateSigningKey>
  readonly retire: ReturnType<typeof retireSigningKey>
}

export function signingKeyRoutes({ db, rotate, retire }: Needs): readonly Route[] {
  const read = async (tenant: string, id: string): Promise<SigningKey> => {
    const row = await findSigningKey(db, tenant, id)
    if (!row) throw notFound('signing key')
    return shape(row)
  }
  return [
    route({
      does: 'List signing keys with their public halves',
      method: 'GET',
      path: '/signing-keys',
      needs: 'keys:read',
      answers: signingKeyList,
      handle: async ({ who }) => ({ items: (await listSigningKeys(db, who.tenant)).map(shape), next_cursor: null }),
    }),
    route({
      does: 'Make a new current signing key',
      method: 'POST',
      path: '/signing-keys/rotate',
      needs: 'signing-keys:write',
      factor: 'always',
      status: 201,
      answers: rotatedSigningKey,
      handle: async ({ who, facts }) => {
        const { id, signedRollouts } = await rotate(who, facts)
        return { key: await read(who.tenant, id), signed_rollouts: signedRollouts }
      },
    }),
    route({
      does: 'List the agent keys and agents that verify with a signing key',
      method: 'GET',
      path: '/signing-keys/:id/followers',
      needs: 'keys:read',
      params: signingKeyParams,
      answers: signingKeyFollowers,
      handle: async ({ who, params: { id } }) => {
        await read(who.tenant, id)
        const { keys, agents } = await followersOf(db, who.tenant, id)
        return {
          keys: keys.map(({ lastUsedAt, ...key }) => ({ ...key, last_used_at: lastUsedAt?.toISOString() ?? null })),
          agents: agents.map(({ agentId, environment, keyId, lastSeenAt }) => ({
            agent_id: agentId,
            environment,
            key_id: keyId,
            last_seen_at: lastSeenAt?.toISOString() ?? null,
          })),
        }
      },
    }),
    route({
      does: 'Retire a signing key, so that it signs no rollout any more',
      method: 'POST',
      path: '/signing-keys/:id/retire',
      needs: 'signing-keys:write',
      factor: 'always',
      params: signingKeyParams,
      body: retireSigningKeyBody,
      answers: signingKey,
      handle: async ({ who, params: { id }, body, facts }) => {
        await retire(who, id, body.confirm, facts)
        return read(who.tenant, id)
      },
    }),
  ]
}

function shape(row: SigningKeyRow): SigningKey {
  return {
    id: row.id,
    public_key: row.publicKey,
    state: row.retiredAt ? 'retired' : row.isCurrent ? 'current' : 'older',
    made_at: row.madeAt.toISOString(),
    made_by:
      row.madeBy === null
        ? { kind: 'system', id: 'system', label: 'set-up' }
        : { kind: 'person', id: row.madeBy, label: row.madeByEmail ?? row.madeBy },
    retired_at: row.retiredAt?.toISOString() ?? null,
    key_count: row.keyCount,
  }
}
