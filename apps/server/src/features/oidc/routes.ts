import { signInProviders, Type } from '@countersign/wire'
import type { FastifyReply } from 'fastify'
import { Problem, problems } from '../../kernel/problem.ts'
import type { TakeFromLimit } from '../limits/index.ts'
import { type RequestFacts, type Route, route } from '../roles/index.ts'
import { type Provider, SignInRefused } from './provider.ts'
import { attemptSeconds, type SignInWithProvider } from './sign-in-with-provider.ts'

type Needs = {
  readonly clock: { readonly now: () => Date }
  readonly providers: readonly Provider[]
  readonly signIn: SignInWithProvider
  readonly takeFromLimit: TakeFromLimit
  readonly cookie: (token: string, maxAgeSeconds: number) => string
  readonly isSecure: boolean
  /** Whether a password is taken at all: not, once every tenant has switched it off. */
  readonly takesPasswords: () => Promise<boolean>
}

const cookieName = 'countersign_sign_in'
const params = Type.Object({ provider: Type.String({ maxLength: 31 }) })

export type ProviderDoor = ReturnType<typeof providerDoor>

/** The two ends of a sign-in at a provider, for whichever address it is done at. */
export function providerDoor({
  clock,
  signIn,
  takeFromLimit,
  cookie,
  isSecure,
}: Omit<Needs, 'providers' | 'takesPasswords'>) {
  const errandCookie = (value: string, maxAge: number): string =>
    `${cookieName}=${value}; Path=/api; HttpOnly; SameSite=Lax; Max-Age=${maxAge}${isSecure ? '; Secure' : ''}`
  const fail = (reply: FastifyReply, reason: string) =>
    reply.header('set-cookie', errandCookie('', 0)).redirect(`/sign-in?error=${reason}`, 302)
  return {
    leave: async (provider: string, returnTo: string | undefined, facts: RequestFacts, reply: FastifyReply) => {
      const limit = { scope: 'provider-address', subject: facts.address, max: 60, windowSeconds: 300 }
      const { isAllowed, retryAfterSeconds } = await takeFromLimit(limit)
      if (!isAllowed)
        throw new Problem(problems.tooManyRequests, 'Too many sign-ins were begun. Wait a moment.', {
          retryAfterSeconds,
        })
      reply.header('cache-control', 'no-store')
      try {
        const { address, binding } = await signIn.begin(provider, returnTo)
        await reply.header('set-cookie', errandCookie(binding, attemptSeconds)).redirect(address.href, 302)
      } catch (cause) {
        if (!(cause instanceof SignInRefused)) throw cause
        await fail(reply, cause.reason)
      }
    },
    comeBack: async (
      provider: string,
      { url, cookies }: { readonly url: string; readonly cookies: string | undefined },
      facts: RequestFacts,
      reply: FastifyReply,
    ) => {
      reply.header('cache-control', 'no-store')
      const at = url.indexOf('?')
      const done = await signIn.finish(provider, at < 0 ? '' : url.slice(at), errandIn(cookies), facts)
      if ('reason' in done) return fail(reply, done.reason)
      const maxAge = (done.expiresAt.getTime() - clock.now().getTime()) / 1000
      return reply.header('set-cookie', [cookie(done.token, maxAge), errandCookie('', 0)]).redirect(done.returnTo, 302)
    },
  }
}

function errandIn(cookies: string | undefined): string | undefined {
  return new RegExp(`(?:^|;\\s*)${cookieName}=([\\w-]+)`).exec(cookies ?? '')?.[1]
}

type RouteNeeds = Pick<Needs, 'providers' | 'takesPasswords'> & { readonly door: ProviderDoor }

export function providerRoutes({ providers, takesPasswords, door }: RouteNeeds): readonly Route[] {
  return [
    route({
      does: 'Tell how one can sign in',
      method: 'GET',
      path: '/sign-in/providers',
      needs: 'anyone',
      answers: signInProviders,
      handle: async () => ({
        password: await takesPasswords(),
        providers: providers.map(({ name, title }) => ({ name, title })),
      }),
    }),
    route({
      does: 'Sign in at an identity provider',
      method: 'GET',
      path: '/sign-in/:provider',
      needs: 'anyone',
      params,
      query: Type.Object({ return_to: Type.Optional(Type.String({ maxLength: 2000 })) }),
      answersItself: true,
      handle: ({ params: { provider }, query, facts, reply }) => door.leave(provider, query.return_to, facts, reply),
    }),
    route({
      does: 'Come back from an identity provider',
      method: 'GET',
      path: '/sign-in/:provider/callback',
      needs: 'anyone',
      params,
      answersItself: true,
      handle: async ({ params: { provider }, request, facts, reply }) => {
        await door.comeBack(provider, { url: request.url, cookies: request.headers.cookie }, facts, reply)
      },
    }),
  ]
}
