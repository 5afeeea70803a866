import type { Sql } from '../../kernel/db.ts'
import { type FollowingAgent, type FollowingKey, listFollowingAgents, listFollowingKeys } from './signing-keys-table.ts'

export type Followers = { readonly keys: readonly FollowingKey[]; readonly agents: readonly FollowingAgent[] }

/** Who verifies with this signing key, as far as the server can know: the agent keys it is served to and who uses them. */
export async function followersOf(db: Sql, tenant: string, signingKeyId: string): Promise<Followers> {
  const keys = await listFollowingKeys(db, tenant, signingKeyId)
  const agents = keys.length > 0 ? await listFollowingAgents(db, tenant, signingKeyId) : []
  return { keys, agents }
}
