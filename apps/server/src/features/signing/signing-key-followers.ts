import type { Sql } from '../../kernel/db.ts'
import { type FollowingKey, listFollowingKeys } from './signing-keys-table.ts'

export type FollowingAgent = {
  readonly agentId: string
  readonly environment: string
  readonly keyId: string
  readonly lastSeenAt: Date | null
}

/** Agents last seen with one of these agent keys; the fleet knows. */
export type AgentsOfKeys = (db: Sql, tenant: string, keyIds: readonly string[]) => Promise<readonly FollowingAgent[]>

export type Followers = { readonly keys: readonly FollowingKey[]; readonly agents: readonly FollowingAgent[] }
export type FollowersOfSigningKey = (db: Sql, tenant: string, signingKeyId: string) => Promise<Followers>

/** Who verifies with this signing key, as far as the server can know: the agent keys it is served to and who uses them. */
export function followersOfSigningKey(agentsOfKeys: AgentsOfKeys): FollowersOfSigningKey {
  return async (db, tenant, signingKeyId) => {
    const keys = await listFollowingKeys(db, tenant, signingKeyId)
    const ids = keys.map(({ id }) => id)
    const agents = ids.length > 0 ? await agentsOfKeys(db, tenant, ids) : []
    return { keys, agents }
  }
}
