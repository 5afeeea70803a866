import type { Configuration } from 'openid-client'
import { type Proven, type Provider, provenBy, SignInRefused } from './provider.ts'

export type Challenge = { readonly state: string; readonly nonce: string; readonly verifier: string }

export type AskProvider = {
  /** Where to send the browser. */
  readonly address: (provider: Provider, redirectUri: string, challenge: Challenge) => Promise<URL>
  /** What the provider proves with the code its answer holds. */
  readonly redeem: (provider: Provider, answer: URL, challenge: Challenge) => Promise<Proven>
}

const timeoutSeconds = 8
/** How far a provider's clock may be off. */
const skewSeconds = 30
/** With a shared secret as key anybody who knows it could sign, so only these. */
const algorithms = new Set([
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
])
/** Discovery is asked anew now and then, so that moved endpoints are noticed. */
const keptMs = 3_600_000

/** Speaks OpenID Connect with the providers, whose discovery is kept for an hour. */
export function askProvider({ clock }: { readonly clock: { readonly now: () => Date } }): AskProvider {
  const known = new Map<string, { readonly configuration: Promise<Configuration>; readonly at: number }>()

  const discover = async (provider: Provider): Promise<Configuration> => {
    const client = await import('openid-client')
    const isLocal = new URL(provider.issuer).protocol === 'http:'
    const configuration = await client.discovery(
      new URL(provider.issuer),
      provider.clientId,
      { [client.clockTolerance]: skewSeconds },
      client.ClientSecretPost(provider.clientSecret.reveal()),
      { timeout: timeoutSeconds, ...(isLocal && { execute: [client.allowInsecureRequests] }) },
    )
    // The code comes over TLS from the provider itself; the signature is checked all the same.
    client.enableNonRepudiationChecks(configuration)
    return configuration
  }

  const configurationOf = (provider: Provider): Promise<Configuration> => {
    const kept = known.get(provider.name)
    const now = clock.now().getTime()
    if (kept && now - kept.at < keptMs) return kept.configuration
    const configuration = discover(provider)
    known.set(provider.name, { configuration, at: now })
    // A provider that was away is asked again by the next who signs in.
    configuration.catch(() => known.delete(provider.name))
    return configuration
  }

  return {
    address: async (provider, redirectUri, { state, nonce, verifier }) => {
      const client = await import('openid-client')
      const configuration = await configurationOf(provider).catch((cause: unknown) => {
        throw new SignInRefused('provider', { cause })
      })
      return client.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: provider.scopes.join(' '),
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(provider.asksForAccount && { prompt: 'select_account' }),
        ...(provider.hostedDomain !== null && { hd: provider.hostedDomain }),
      })
    },
    redeem: async (provider, answer, { state, nonce, verifier }) => {
      const client = await import('openid-client')
      try {
        const configuration = await configurationOf(provider)
        const tokens = await client.authorizationCodeGrant(configuration, answer, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        })
        if (!algorithms.has(algorithmOf(tokens.id_token ?? '')))
          throw new Error('The ID token is signed in no way we take')
        return provenBy(provider, tokens.claims() ?? {})
      } catch (cause) {
        if (cause instanceof SignInRefused) throw cause
        throw new SignInRefused('provider', { cause })
      }
    },
  }
}

function algorithmOf(token: string): string {
  const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8') || '{}')
  return typeof header === 'object' && header !== null && 'alg' in header ? String(header.alg) : ''
}
