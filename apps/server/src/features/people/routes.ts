import { setupBody, setupDone, setupState } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import type { TakeFromLimit } from '../limits/index.ts'
import { type Route, route } from '../roles/index.ts'
import { countPeople } from '../tenants/index.ts'
import type { MakeFirstTenant } from './make-first-tenant.ts'
import type { SetupToken } from './setup-token.ts'

type Needs = {
  readonly db: Sql
  readonly makeFirstTenant: MakeFirstTenant
  readonly token: SetupToken
  readonly takeFromLimit: TakeFromLimit
}

export function setupRoutes({ db, makeFirstTenant, token, takeFromLimit }: Needs): readonly Route[] {
  return [
    route({
      does: 'Tell whether the server has been set up',
      method: 'GET',
      path: '/setup',
      needs: 'anyone',
      answers: setupState,
      handle: async () => ({ done: (await countPeople(db)) > 0, needs_token: true }),
    }),
    route({
      does: 'Make the first administrator',
      method: 'POST',
      path: '/setup',
      needs: 'anyone',
      status: 201,
      bodyBytesMax: 4096,
      body: setupBody,
      answers: setupDone,
      handle: async ({ body, facts }) => {
        if ((await countPeople(db)) > 0) throw new Problem(problems.conflict, 'Server is already set up.')
        await limitSetup(takeFromLimit, facts.address)
        if (!token.matches(body.token)) throw wrongToken()
        const made = await makeFirstTenant({
          email: body.email,
          password: body.password,
          tenantName: body.tenant_name ?? 'Default',
          facts,
        })
        return { person_id: made.person, tenant_id: made.tenant }
      },
    }),
  ]
}

export async function limitSetup(takeFromLimit: TakeFromLimit, address: string): Promise<void> {
  const { isAllowed, retryAfterSeconds } = await takeFromLimit({
    scope: 'setup-address',
    subject: address,
    max: 20,
    windowSeconds: 300,
  })
  if (!isAllowed)
    throw new Problem(problems.tooManyRequests, 'Too many attempts to set this server up. Wait a moment.', {
      retryAfterSeconds,
    })
}

export function wrongToken(): Problem {
  return new Problem(
    problems.forbidden,
    'The set-up token is wrong. It is in the link the server printed when it started.',
  )
}
