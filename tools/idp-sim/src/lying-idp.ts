import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

/** How the provider behaves; an honest one is the default of every member. */
export type Lies = {
  /** Claims over those an honest provider would tell; undefined leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Signs with a key that is not among its published ones, with the client's secret, or not at all. */
  readonly signs?: 'as told' | 'with another key' | 'with the secret' | 'not at all'
  /** Answers nothing, ever, at the token endpoint; or with a server error, or with what is no JSON. */
  readonly answers?: 'as told' | 'never' | 'with an error' | 'with nonsense'
}

export type LyingIdp = Awaited<ReturnType<typeof startLyingIdp>>

/**
 * A provider that tells whatever a test wants to be told, wrongly signed if need be: what a real one never does and a
 * captured one would. It skips the browser's part: `code` is made from the address the browser would have been sent to.
 */
export async function startLyingIdp(client: { readonly id: string; readonly secret: string }) {
  const [own, foreign] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('RS256')])
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'own', alg: 'RS256', use: 'sig' }
  let lies: Lies = {}
  const codes = new Map<string, { readonly nonce: string; readonly challenge: string; readonly claims: JWTPayload }>()

  const idToken = (nonce: string, claims: JWTPayload): Promise<string> => {
    const now = Math.floor(Date.now() / 1000)
    const honest = { iss: issuer, aud: client.id, iat: now, exp: now + 300, nonce, email_verified: true, ...claims }
    const told = Object.fromEntries(
      Object.entries({ ...honest, ...lies.claims }).filter(([, value]) => value !== undefined),
    )
    const signs = lies.signs ?? 'as told'
    if (signs === 'not at all') {
      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
      return Promise.resolve(`${part({ alg: 'none' })}.${part(told)}.`)
    }
    if (signs === 'with the secret')
      return new SignJWT(told).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(client.secret))
    const key = signs === 'with another key' ? foreign.privateKey : own.privateKey
    return new SignJWT(told).setProtectedHeader({ alg: 'RS256', kid: 'own' }).sign(key)
  }

  const token = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answers = lies.answers ?? 'as told'
    if (answers === 'never') return
    if (answers === 'with an error') return tell(response, 500, { error: 'server_error' })
    if (answers === 'with nonsense') {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>welcome</p>')
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array))
    const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
    const code = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const digest = await crypto.subtle.digest('SHA-256', Buffer.from(form.get('code_verifier') ?? ''))
    const isVerified = code?.challenge === Buffer.from(digest).toString('base64url')
    if (!code || !isVerified || form.get('client_secret') !== client.secret)
      return tell(response, 400, { error: 'invalid_grant' })
    tell(response, 200, {
      access_token: 'opaque',
      token_type: 'Bearer',
      expires_in: 300,
      id_token: await idToken(code.nonce, code.claims),
    })
  }

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    if (path === '/.well-known/openid-configuration') {
      tell(response, 200, {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
        code_challenge_methods_supported: ['S256'],
      })
    } else if (path === '/jwks') tell(response, 200, { keys: [jwk] })
    else if (path === '/token') void token(request, response)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    issuer,
    lie: (how: Lies): void => {
      lies = how
    },
    /** What the browser would bring back after somebody with these claims had signed in at the address. */
    signIn: (address: string, claims: JWTPayload): string => {
      const { searchParams } = new URL(address)
      const code = crypto.randomUUID()
      codes.set(code, {
        nonce: searchParams.get('nonce') ?? '',
        challenge: searchParams.get('code_challenge') ?? '',
        claims,
      })
      return `?${new URLSearchParams({ code, state: searchParams.get('state') ?? '' }).toString()}`
    },
    stop: (): Promise<void> =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => {
          resolve()
        })
      }),
  }
}

function tell(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
