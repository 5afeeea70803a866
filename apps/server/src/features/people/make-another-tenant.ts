import { isEmail } from '@countersign/wire'
import { hashPassword } from '../../kernel/crypto.ts'
import { isUniqueViolation, type Sql } from '../../kernel/db.ts'
import { invalidInput, Problem, problems } from '../../kernel/problem.ts'
import type { Act } from '../trail/index.ts'
import { type FirstAdministrator, type MakeFirstTenantNeeds, makeTenant } from './make-first-tenant.ts'
import { checkPassword } from './password-policy.ts'

export type MakeAnotherTenant = (
  first: FirstAdministrator & { readonly by?: Pick<Act, 'actor' | 'personal'> },
) => Promise<{ readonly tenant: string; readonly person: string }>

const tenantNameMax = 120

/** Makes a further tenant. No route leads here: it is for whoever is at the server's machine. */
export function makeAnotherTenant({ db, ...needs }: MakeFirstTenantNeeds): MakeAnotherTenant {
  const make = makeTenant(needs)
  return async ({ password, ...first }) => {
    checkName(first.tenantName)
    if (!isEmail(first.email))
      throw invalidInput('body.email', `${first.email.slice(0, 300)} is not an e-mail address.`)
    checkPassword(password)
    const passwordHash = await hashPassword(password)
    try {
      return await db.inTx(async (tx) => {
        await refuseSameName(tx, first.tenantName)
        return make(tx, { ...first, passwordHash })
      })
    } catch (cause) {
      if (!isUniqueViolation(cause, 'people_by_email')) throw cause
      throw new Problem(
        problems.conflict,
        `${first.email} already belongs to somebody. An address is one person's in the whole installation.`,
        { cause },
      )
    }
  }
}

/** Nothing but their ids would tell the two apart. Two made at the same moment wait for each other. */
async function refuseSameName(tx: Sql, name: string): Promise<void> {
  await tx.query(`lock table tenants in share row exclusive mode`)
  const [same] = await tx.query<{ id: string }>(`select t.id from tenants as t where lower(t.name) = lower($1)`, [name])
  if (same) throw new Problem(problems.conflict, `There is a tenant called ${name} already: ${same.id}.`)
}

function checkName(name: string): void {
  const isOdd = [...name].some((letter) => letter < ' ' || letter === '\u007f') || !name.isWellFormed()
  if (name.trim() !== '' && name.length <= tenantNameMax && !isOdd) return
  throw invalidInput(
    'body.tenant_name',
    `A tenant's name has 1 to ${tenantNameMax} characters and no control characters.`,
  )
}
