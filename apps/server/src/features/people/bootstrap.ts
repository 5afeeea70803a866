import type { Secret } from '../../kernel/crypto.ts'
import type { Sql } from '../../kernel/db.ts'
import { Problem } from '../../kernel/problem.ts'
import { countPeople } from '../tenants/index.ts'
import type { MakeFirstTenant } from './make-first-tenant.ts'
import { passwordLengthMin } from './password-policy.ts'

type Needs = { readonly db: Sql; readonly makeFirstTenant: MakeFirstTenant }

/** Makes the administrator named in the environment when there is nobody yet. Says so in words when it cannot. */
export function bootstrapFromConfig({ db, makeFirstTenant }: Needs) {
  return async (
    email: string | undefined,
    password: Secret | undefined,
  ): Promise<'made' | 'not needed' | 'not given'> => {
    if ((await countPeople(db)) > 0) return 'not needed'
    if (email === undefined || password === undefined) return 'not given'
    if ([...password.reveal()].length < passwordLengthMin) {
      throw new Error(
        `COUNTERSIGN_ADMIN_PASSWORD (for COUNTERSIGN_ADMIN_EMAIL) needs at least ${passwordLengthMin} characters. No administrator was made.`,
      )
    }
    try {
      await makeFirstTenant({ email, password: password.reveal(), tenantName: 'Default' })
      return 'made'
    } catch (cause) {
      // Another replica was first.
      if (cause instanceof Problem && cause.kind.code === 'conflict') return 'not needed'
      throw cause
    }
  }
}
