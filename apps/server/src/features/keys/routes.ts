import {
  agentKey,
  agentKeyChange,
  agentKeyDraft,
  agentKeyQuery,
  idText,
  keyConsequence,
  madeAgentKey,
  pageOf,
  Type,
} from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import { type AgentKeyRow, findAgentKey, listAgentKeys } from './agent-keys-table.ts'
import type { ManageAgentKeys } from './manage-agent-keys.ts'

type Needs = {
  readonly db: Sql
  readonly keys: ManageAgentKeys
  /** The agents whose open streams were opened with this key, on every replica. */
  readonly streamsOfKey: (
    tenant: string,
    keyId: string,
  ) => Promise<readonly { readonly agentId: string; readonly environment: string }[]>
}

const params = Type.Object({ id: idText })

export function agentKeyRoutes({ db, keys, streamsOfKey }: Needs): readonly Route[] {
  const read = async (tenant: string, id: string) => {
    const row = await findAgentKey(db, tenant, id)
    if (!row) throw notFound('key')
    return keyView(row)
  }
  return [
    route({
      does: 'List agent keys',
      method: 'GET',
      path: '/keys',
      needs: 'keys:read',
      query: agentKeyQuery,
      answers: pageOf(agentKey),
      handle: async ({ who, query }) => {
        const rows = await listAgentKeys(db, who.tenant, query.environment, query.revoked ?? false)
        return { items: rows.map(keyView), next_cursor: null, total: rows.length }
      },
    }),
    route({
      does: 'Make an agent key',
      method: 'POST',
      path: '/keys',
      needs: 'keys:write',
      factor: 'step-up',
      status: 201,
      body: agentKeyDraft,
      answers: madeAgentKey,
      handle: async ({ who, body, facts, reply }) => {
        reply.header('cache-control', 'no-store')
        const { id, key } = await keys.make(
          who,
          {
            environment: body.environment,
            label: body.label ?? '',
            rendering: body.rendering ?? 'auto',
            mayDecide: body.may_decide ?? false,
          },
          facts,
        )
        return { ...(await read(who.tenant, id)), key }
      },
    }),
    route({
      does: 'Change the label, rendering or signing key of an agent key',
      method: 'PATCH',
      path: '/keys/:id',
      needs: 'keys:write',
      factor: 'step-up',
      params,
      body: agentKeyChange,
      answers: agentKey,
      handle: async ({ who, params: { id }, body, facts }) => {
        await keys.change(
          who,
          id,
          { label: body.label, rendering: body.rendering, signingKeyId: body.signing_key_id },
          facts,
        )
        return read(who.tenant, id)
      },
    }),
    route({
      does: 'Tell what revoking an agent key would end',
      method: 'GET',
      path: '/keys/:id/consequence',
      needs: 'keys:read',
      params,
      answers: keyConsequence,
      handle: async ({ who, params: { id } }) => {
        await read(who.tenant, id)
        const streams = await streamsOfKey(who.tenant, id)
        return {
          open_streams: streams.length,
          agents: streams.map(({ agentId, environment }) => ({ agent_id: agentId, environment })),
        }
      },
    }),
    route({
      does: 'Revoke an agent key',
      method: 'POST',
      path: '/keys/:id/revoke',
      needs: 'keys:write',
      factor: 'step-up',
      params,
      answers: agentKey,
      handle: async ({ who, params: { id }, facts }) => {
        await keys.revoke(who, id, facts)
        return read(who.tenant, id)
      },
    }),
  ]
}

function keyView(row: AgentKeyRow) {
  return {
    id: row.id,
    environment: row.environment,
    label: row.label,
    prefix: row.prefix,
    rendering: row.rendering,
    signing_key_id: row.signingKeyId,
    may_decide: row.mayDecide,
    made_at: row.madeAt.toISOString(),
    made_by: { id: row.madeBy, label: row.madeByEmail },
    last_used_at: row.lastUsedAt?.toISOString() ?? null,
    revoked_at: row.revokedAt?.toISOString() ?? null,
  }
}
