import type { Provider } from '../features/oidc/index.ts'
import type { Config } from './config.ts'

/** The identity providers of the configuration; Google's own variables make one more, as the older gateway had it. */
export function configuredProviders(config: Config): readonly Provider[] {
  const { googleClientId, googleClientSecret, googleAllowedDomain, googleBaseUrl, oidcProviders } = config
  if (googleClientId === undefined || googleClientSecret === undefined) return oidcProviders
  const domain = googleAllowedDomain?.toLowerCase() ?? null
  const google: Provider = {
    name: 'google',
    title: 'Google',
    issuer: googleBaseUrl,
    clientId: googleClientId,
    clientSecret: googleClientSecret,
    allowedDomains: domain === null ? [] : [domain],
    hostedDomain: domain,
    scopes: ['openid', 'email', 'profile'],
    asksForAccount: true,
    groupsClaim: 'groups',
    groupRoles: null,
    newcomers: null,
    // Where the older gateway had its applications registered.
    callback: '/api/v1/auth/web/callback',
  }
  return [google, ...oidcProviders]
}

/** Who the environment names as people of this server. */
export function configuredSeeds({
  admins,
  viewers,
  deployers,
  operators,
}: Pick<Config, 'admins' | 'viewers' | 'deployers' | 'operators'>) {
  const named = { admin: admins, viewer: viewers, deployer: deployers, ops: operators }
  return Object.entries(named).flatMap(([role, emails]) => emails.map((email) => ({ email, role })))
}
