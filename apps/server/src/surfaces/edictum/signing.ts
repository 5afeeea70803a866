import { type Route, route } from '../../features/roles/index.ts'
import { findSigningKey, listSigningKeys, type rotateSigningKey } from '../../features/signing/index.ts'
import type { Sql } from '../../kernel/db.ts'

type Needs = { readonly db: Sql; readonly rotate: ReturnType<typeof rotateSigningKey> }

export function signingRoutes({ db, rotate }: Needs): readonly Route[] {
  return [
    route({
      does: 'Make a new current signing key',
      method: 'POST',
      path: '/settings/rotate-signing-key',
      needs: 'signing-keys:write',
      factor: 'always',
      status: 201,
      handle: async ({ who, facts }) => {
        const { id, publicKey, signedRollouts } = await rotate(who, facts)
        const made = await findSigningKey(db, who.tenant, id)
        return { public_key: publicKey, rotated_at: made?.madeAt.toISOString(), deployments_re_signed: signedRollouts }
      },
    }),
    route({
      does: 'List the public keys rulesets are signed with',
      method: 'GET',
      path: '/signing-keys',
      needs: 'agent-key or keys:read',
      handle: async ({ who }) => {
        const keys = await listSigningKeys(db, who.tenant)
        const current = keys.find(({ isCurrent }) => isCurrent)
        return {
          signing_keys: keys.map(({ id, publicKey, isCurrent, madeAt, retiredAt }) => ({
            id,
            public_key: publicKey,
            is_current: isCurrent,
            created_at: madeAt.toISOString(),
            retired_at: retiredAt?.toISOString() ?? null,
          })),
          served_by: who.is === 'agent' ? (who.signingKeyId ?? current?.id ?? null) : null,
        }
      },
    }),
  ]
}
