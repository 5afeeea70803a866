import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import Provider from 'oidc-provider'

/** Somebody the provider knows, with the claims Google would tell of them. */
export type Account = {
  readonly sub: string
  readonly email: string
  readonly name: string
  readonly email_verified?: boolean
  readonly hd?: string
  readonly groups?: readonly string[]
}

type Options = {
  readonly port?: number
  readonly client: { readonly id: string; readonly secret: string; readonly redirectUris: readonly string[] }
  readonly accounts: readonly Account[]
}

export type Idp = Awaited<ReturnType<typeof startIdp>>

/** A pretend identity provider on loopback: its sign-in page is a list of people to be. */
export async function startIdp({ port = 0, client, accounts }: Options) {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const known = new Map(accounts.map((account) => [account.sub, account]))

  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [...client.redirectUris],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'sim' }] },
    cookies: { keys: ['only for trying things out'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified', 'hd', 'groups'], profile: ['name'] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/people/${uid}` },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    findAccount: (_context, sub) => {
      const account = known.get(sub)
      if (!account) return undefined
      return { accountId: sub, claims: () => ({ email_verified: true, ...account }) }
    },
  })

  provider.use(async (context, next) => {
    const [, uid, sub] = /^\/people\/([\w-]+)(?:\/([^/]+))?$/.exec(context.path) ?? []
    if (uid === undefined) {
      await next()
      return
    }
    const { params } = await provider.interactionDetails(context.req, context.res)
    if (sub === undefined) {
      context.type = 'html'
      context.body = page(uid, accounts)
      return
    }
    const accountId = decodeURIComponent(sub)
    const grant = new provider.Grant({ accountId, clientId: String(params['client_id']) })
    grant.addOIDCScope('openid email profile')
    grant.addOIDCClaims(['email', 'email_verified', 'hd', 'groups', 'name'])
    const grantId = await grant.save()
    context.redirect(
      await provider.interactionResult(context.req, context.res, { login: { accountId }, consent: { grantId } }),
    )
  })
  const answer = provider.callback()
  server.on('request', (request, response) => void answer(request, response))

  return {
    issuer,
    stop: (): Promise<void> =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => {
          resolve()
        })
      }),
  }
}

function page(uid: string, accounts: readonly Account[]): string {
  const safe = (text: string): string => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`)
  const items = accounts.map(
    ({ sub, name, email }) =>
      `<li><a href="/people/${uid}/${encodeURIComponent(sub)}">${safe(name)}</a> ${safe(email)}</li>`,
  )
  return `<!doctype html><title>Pretend identity provider</title><h1>Sign in as</h1><ul>${items.join('')}</ul>`
}
