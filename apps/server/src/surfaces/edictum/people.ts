import { emailText, environmentName, lineText, nameText, rendering, Type } from '@countersign/wire'
import type { ManageAgentKeys } from '../../features/keys/index.ts'
import { findAgentKey, listAgentKeys } from '../../features/keys/index.ts'
import type { TakeFromLimit } from '../../features/limits/index.ts'
import { limitSetup, type MakeFirstTenant, type SetupToken, wrongToken } from '../../features/people/index.ts'
import { type Route, route } from '../../features/roles/index.ts'
import { clearedCookies, type EndSessions, type SignIn } from '../../features/sessions/index.ts'
import { countPeople } from '../../features/tenants/index.ts'
import type { Sql } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'

type Needs = {
  readonly db: Sql
  readonly clock: { readonly now: () => Date }
  readonly signIn: SignIn
  readonly endSessions: EndSessions
  readonly makeFirstTenant: MakeFirstTenant
  readonly token: SetupToken
  readonly takeFromLimit: TakeFromLimit
  readonly keys: ManageAgentKeys
  readonly cookie: (token: string, maxAgeSeconds: number) => string
  readonly isSecure: boolean
}

// The older console bound these two by length only; unknown fields never fail its requests.
const credentials = Type.Object({ email: Type.String({ maxLength: 255 }), password: Type.String({ maxLength: 1024 }) })
const setup = Type.Object({
  email: emailText,
  password: Type.String({ minLength: 12, maxLength: 1024, title: 'a text without U+0000', pattern: '^[^\\u0000]*$' }),
  tenant_name: Type.Optional(lineText({ max: 120 })),
  setup_token: Type.Optional(Type.String({ maxLength: 500 })),
})
const keyDraft = Type.Object({
  env: environmentName,
  label: Type.Optional(Type.Union([nameText({ min: 0, max: 255 }), Type.Null()])),
  rendering: Type.Optional(rendering),
})

/** Set-up, sign-in and keys as scripts of the older console call them (console §4–§7). */
export function peopleRoutes(needs: Needs): readonly Route[] {
  const { db, clock, signIn, endSessions, makeFirstTenant, token, takeFromLimit, keys, cookie, isSecure } = needs
  return [
    route({
      does: 'Make the first administrator',
      method: 'POST',
      path: '/setup',
      needs: 'anyone',
      status: 201,
      bodyBytesMax: 4096,
      body: setup,
      handle: async ({ body, facts }) => {
        if ((await countPeople(db)) > 0) throw new Problem(problems.conflict, 'Server is already set up.')
        await limitSetup(takeFromLimit, facts.address)
        if (!token.matches(body.setup_token ?? '')) throw wrongToken()
        const made = await makeFirstTenant({
          email: body.email,
          password: body.password,
          tenantName: body.tenant_name ?? 'Default',
          facts,
        })
        return { message: 'Admin created', user_id: made.person, tenant_id: made.tenant }
      },
    }),
    route({
      does: 'Sign in',
      method: 'POST',
      path: '/auth/login',
      needs: 'anyone',
      bodyBytesMax: 4096,
      body: credentials,
      handle: async ({ body, facts, reply }) => {
        const { token: session, expiresAt } = await signIn(body.email, body.password, facts)
        reply.header('set-cookie', cookie(session, (expiresAt.getTime() - clock.now().getTime()) / 1000))
        return { message: 'Logged in.' }
      },
    }),
    route({
      does: 'Sign out',
      method: 'POST',
      path: '/auth/logout',
      needs: 'anyone',
      bodyBytesMax: 4096,
      handle: async ({ who, facts, reply }) => {
        if (who?.is === 'person') await endSessions(who, { only: who.sessionId }, facts)
        reply.header('set-cookie', clearedCookies(isSecure))
        return { message: 'Logged out.' }
      },
    }),
    route({
      does: 'Tell who is signed in',
      method: 'GET',
      path: '/auth/me',
      needs: 'signed-in',
      handle: ({ who }) =>
        Promise.resolve({
          user_id: who.id,
          tenant_id: who.tenant,
          email: who.email,
          is_admin: who.held.some(({ role, environment }) => role === 'admin' && environment === null),
        }),
    }),
    route({
      does: 'Make an agent key',
      method: 'POST',
      path: '/keys',
      needs: 'keys:write',
      factor: 'step-up',
      status: 201,
      body: keyDraft,
      handle: async ({ who, body, facts, reply }) => {
        reply.header('cache-control', 'no-store')
        const made = await keys.make(
          who,
          { environment: body.env, label: body.label ?? '', rendering: body.rendering ?? 'auto' },
          facts,
        )
        const row = await findAgentKey(db, who.tenant, made.id)
        return { key: made.key, ...(row && keyBody(row)) }
      },
    }),
    route({
      does: 'List agent keys',
      method: 'GET',
      path: '/keys',
      needs: 'keys:read',
      handle: async ({ who }) => (await listAgentKeys(db, who.tenant, undefined, false)).map(keyBody),
    }),
    route({
      does: 'Revoke an agent key',
      method: 'DELETE',
      path: '/keys/:id',
      needs: 'keys:write',
      factor: 'step-up',
      params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
      answersItself: true,
      handle: async ({ who, params, facts, reply }) => {
        try {
          await keys.revoke(who, params.id, facts)
        } catch (cause) {
          if (cause instanceof Problem && cause.kind === problems.notFound) {
            throw new Problem(problems.notFound, 'API key not found or already revoked.', { cause })
          }
          throw cause
        }
        await reply.code(204).send()
      },
    }),
  ]
}

function keyBody(row: NonNullable<Awaited<ReturnType<typeof findAgentKey>>>) {
  return {
    id: row.id,
    prefix: row.prefix,
    env: row.environment,
    label: row.label,
    rendering: row.rendering,
    created_at: row.madeAt.toISOString(),
  }
}
