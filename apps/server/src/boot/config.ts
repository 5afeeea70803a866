import type { Provider } from '../features/oidc/index.ts'
import type { Secret } from '../kernel/crypto.ts'
import {
  addresses,
  boolean,
  chainId,
  databaseUrl,
  databaseUrlOfLibpq,
  httpUrl,
  integer,
  list,
  logLevel,
  olderSealKeys,
  olderSecretKeys,
  olderSecrets,
  oneOf,
  origins,
  proxies,
  type Reader,
  redisUrl,
  sealKey,
  secretKey,
  secretText,
  text,
} from './config-readers.ts'
import { issuerIn, oidcProviders } from './oidc-reader.ts'

/** One variable: the name we print, the older products' names for it, how to read it, what holds without it. */
export type Variable<Value, Fallback> = {
  readonly name: `COUNTERSIGN_${string}`
  readonly older?: readonly string[]
  /** Names that platforms set for everybody: used when nothing else is set, never in conflict. */
  readonly platform?: readonly string[]
  /** The same where a platform says it in several variables. */
  readonly fromPlatform?: (environment: Environment) => Found | undefined
  readonly reader: Reader<Value>
  readonly fallback: Fallback
  /** How the fallback is told in the reference when it is worked out at start. */
  readonly fallbackWords?: string
  readonly help: string
  readonly isSecret?: boolean
}

function variable<Value, Fallback extends Value | undefined = Value>(
  row: Variable<Value, Fallback>,
): Variable<Value, Fallback> {
  return row
}

/** Every variable this server reads. The reference page is printed from this table. */
export const variables = {
  host: variable({
    name: 'COUNTERSIGN_HOST',
    reader: text,
    fallback: 'localhost',
    fallbackWords: 'both loopback addresses',
    help: 'Address to listen on. 0.0.0.0 or :: in a container.',
  }),
  port: variable({
    name: 'COUNTERSIGN_PORT',
    platform: ['PORT'],
    reader: integer(0, 65_535),
    fallback: 8000,
    help: 'Port to listen on. 0 takes a free one.',
  }),
  baseUrl: variable<string, undefined>({
    name: 'COUNTERSIGN_BASE_URL',
    older: ['EDICTUM_BASE_URL'],
    reader: httpUrl,
    fallback: undefined,
    fallbackWords: 'http://localhost:<port>',
    help: 'How people reach this server. Cookies are Secure exactly when it begins with https.',
  }),
  allowedHosts: variable({
    name: 'COUNTERSIGN_ALLOWED_HOSTS',
    reader: list,
    fallback: [],
    help: 'Other names under which browsers may reach this server.',
  }),
  dataDir: variable({
    name: 'COUNTERSIGN_DATA_DIR',
    reader: text,
    fallback: './data',
    help: 'Folder for the embedded database and the secrets made on first start.',
  }),
  databaseUrl: variable<Secret, undefined>({
    name: 'COUNTERSIGN_DATABASE_URL',
    older: ['EDICTUM_DATABASE_URL'],
    platform: ['DATABASE_URL'],
    fromPlatform: databaseUrlOfLibpq,
    reader: databaseUrl,
    fallback: undefined,
    fallbackWords: 'an embedded PostgreSQL in the data folder',
    help: 'PostgreSQL 15 or newer, as a role that may not change tables. Without any of these, PGHOST with PGPORT, PGUSER, PGPASSWORD, PGDATABASE and PGSSLMODE.',
    isSecret: true,
  }),
  migrateDatabaseUrl: variable<Secret, undefined>({
    name: 'COUNTERSIGN_MIGRATE_DATABASE_URL',
    older: ['ADMIN_DATABASE_URL'],
    reader: databaseUrl,
    fallback: undefined,
    fallbackWords: 'COUNTERSIGN_DATABASE_URL, with a warning',
    help: 'The same database as the role that owns the tables; used to migrate and for nothing else.',
    isSecret: true,
  }),
  databaseConnections: variable({
    name: 'COUNTERSIGN_DATABASE_CONNECTIONS',
    reader: integer(2, 500),
    fallback: 20,
    help: 'Connections this process may hold, besides one for notifications.',
  }),
  redisUrl: variable<Secret, undefined>({
    name: 'COUNTERSIGN_REDIS_URL',
    older: ['EDICTUM_REDIS_URL'],
    platform: ['REDIS_URL'],
    reader: redisUrl,
    fallback: undefined,
    fallbackWords: 'none; PostgreSQL carries notifications',
    help: 'Redis or Valkey, to carry notifications between replicas. Nothing is lost when it goes away.',
    isSecret: true,
  }),
  readyWithoutRedis: variable({
    name: 'COUNTERSIGN_READY_WITHOUT_REDIS',
    reader: boolean,
    fallback: false,
    help: 'Stay ready when a configured Redis is away.',
  }),
  secretKey: variable<Secret, undefined>({
    name: 'COUNTERSIGN_SECRET_KEY',
    older: ['EDICTUM_SECRET_KEY'],
    reader: secretKey,
    fallback: undefined,
    fallbackWords: 'made on first start with the embedded database; required with COUNTERSIGN_DATABASE_URL',
    help: 'Keys the digests of sessions and API keys. To rotate, set a new one and move this one to COUNTERSIGN_OLD_SECRET_KEYS.',
    isSecret: true,
  }),
  oldSecretKeys: variable({
    name: 'COUNTERSIGN_OLD_SECRET_KEYS',
    reader: olderSecretKeys,
    fallback: [],
    fallbackWords: 'none',
    help: 'Earlier values of COUNTERSIGN_SECRET_KEY: what was made with them stays valid.',
    isSecret: true,
  }),
  sealKey: variable<Secret, undefined>({
    name: 'COUNTERSIGN_SEAL_KEY',
    older: ['EDICTUM_SIGNING_KEY_SECRET'],
    reader: sealKey,
    fallback: undefined,
    fallbackWords: 'made on first start with the embedded database; required with COUNTERSIGN_DATABASE_URL',
    help: 'Seals signing keys and other secrets at rest. To rotate, set a new one and move this one to COUNTERSIGN_OLD_SEAL_KEYS.',
    isSecret: true,
  }),
  oldSealKeys: variable({
    name: 'COUNTERSIGN_OLD_SEAL_KEYS',
    reader: olderSealKeys,
    fallback: [],
    fallbackWords: 'none',
    help: 'Earlier values of COUNTERSIGN_SEAL_KEY: what was sealed with them still opens.',
    isSecret: true,
  }),
  trailMacSecret: variable<Secret, undefined>({
    name: 'COUNTERSIGN_TRAIL_MAC_SECRET',
    older: ['AUDIT_HMAC_SECRET'],
    reader: secretText,
    fallback: undefined,
    fallbackWords: 'none; entries have no MAC',
    help: 'Adds a keyed MAC (HMAC-SHA-256 over its bytes) to each entry of the trail. To rotate, set a new one and move this one to COUNTERSIGN_OLD_TRAIL_MAC_SECRETS.',
    isSecret: true,
  }),
  oldTrailMacSecrets: variable({
    name: 'COUNTERSIGN_OLD_TRAIL_MAC_SECRETS',
    reader: olderSecrets,
    fallback: [],
    fallbackWords: 'none',
    help: 'Earlier values of COUNTERSIGN_TRAIL_MAC_SECRET: MACs made with them are still checked.',
    isSecret: true,
  }),
  adminEmail: variable<string, undefined>({
    name: 'COUNTERSIGN_ADMIN_EMAIL',
    older: ['EDICTUM_ADMIN_EMAIL'],
    reader: text,
    fallback: undefined,
    fallbackWords: 'none; the set-up page asks',
    help: 'First administrator, made on first start together with COUNTERSIGN_ADMIN_PASSWORD.',
  }),
  adminPassword: variable<Secret, undefined>({
    name: 'COUNTERSIGN_ADMIN_PASSWORD',
    older: ['EDICTUM_ADMIN_PASSWORD'],
    reader: secretText,
    fallback: undefined,
    fallbackWords: 'none; the set-up page asks',
    help: 'Password of the first administrator, at least 12 characters.',
    isSecret: true,
  }),
  admins: variable({
    name: 'COUNTERSIGN_ADMINS',
    older: ['ADMIN_USERS'],
    reader: addresses,
    fallback: [],
    help: 'Addresses that are administrators from the start: whoever is not there yet is added when the server starts. Nobody is changed or removed.',
  }),
  viewers: variable({
    name: 'COUNTERSIGN_VIEWERS',
    older: ['VIEWER_USERS'],
    reader: addresses,
    fallback: [],
    help: 'The same for viewers.',
  }),
  deployers: variable({
    name: 'COUNTERSIGN_DEPLOYERS',
    older: ['DEPLOYER_USERS'],
    reader: addresses,
    fallback: [],
    help: 'The same for deployers.',
  }),
  operators: variable({
    name: 'COUNTERSIGN_OPERATORS',
    older: ['OPERATIONS_USERS'],
    reader: addresses,
    fallback: [],
    help: 'The same for those with the role ops.',
  }),
  setupToken: variable<Secret, undefined>({
    name: 'COUNTERSIGN_SETUP_TOKEN',
    reader: secretText,
    fallback: undefined,
    fallbackWords: 'made at start and printed in the set-up link',
    help: 'What the set-up page demands before it makes the first administrator.',
    isSecret: true,
  }),
  webauthnRpId: variable<string, undefined>({
    name: 'COUNTERSIGN_WEBAUTHN_RP_ID',
    older: ['WEBAUTHN_RP_ID'],
    reader: text,
    fallback: undefined,
    fallbackWords: 'the host of the base URL',
    help: 'Domain that passkeys belong to. Changing it makes every passkey useless.',
  }),
  webauthnOrigins: variable<readonly string[], undefined>({
    name: 'COUNTERSIGN_WEBAUTHN_ORIGIN',
    older: ['WEBAUTHN_ORIGIN'],
    reader: origins,
    fallback: undefined,
    fallbackWords: 'the origin of the base URL',
    help: 'Origins whose pages may use passkeys.',
  }),
  yubicoClientId: variable<string, undefined>({
    name: 'COUNTERSIGN_YUBICO_CLIENT_ID',
    older: ['YUBICO_CLIENT_ID'],
    reader: text,
    fallback: undefined,
    fallbackWords: 'none; Yubico keys cannot be added',
    help: 'Client of the Yubico validation service, for one-time passwords of Yubico keys.',
  }),
  yubicoSecretKey: variable<Secret, undefined>({
    name: 'COUNTERSIGN_YUBICO_SECRET_KEY',
    older: ['YUBICO_SECRET_KEY'],
    reader: secretText,
    fallback: undefined,
    fallbackWords: 'none',
    help: 'Key shared with the Yubico validation service, in base64: its answers are signed with it.',
    isSecret: true,
  }),
  yubicoUrl: variable({
    name: 'COUNTERSIGN_YUBICO_URL',
    reader: httpUrl,
    fallback: 'https://api.yubico.com/wsapi/2.0/verify',
    help: 'Validation service for one-time passwords of Yubico keys.',
  }),
  profile: variable({
    name: 'COUNTERSIGN_PROFILE',
    older: ['EDICTUM_ENV_NAME'],
    reader: oneOf('development', 'staging', 'production'),
    fallback: 'development' as const,
    help: 'production hides the API description and the version.',
  }),
  roles: variable({
    name: 'COUNTERSIGN_ROLES',
    reader: {
      form: 'api, worker',
      read: (given: string): readonly ('api' | 'worker')[] =>
        list.read(given).map((role) => oneOf('api', 'worker').read(role)),
    },
    fallback: ['api', 'worker'] as readonly ('api' | 'worker')[],
    help: 'What this process does: api answers requests, worker runs periodic work.',
  }),
  logLevel: variable({
    name: 'COUNTERSIGN_LOG_LEVEL',
    older: ['EDICTUM_LOG_LEVEL'],
    reader: logLevel,
    fallback: 'info' as const,
    help: 'Least level that is logged.',
  }),
  corsOrigins: variable({
    name: 'COUNTERSIGN_CORS_ORIGINS',
    older: ['EDICTUM_CORS_ORIGINS'],
    reader: origins,
    fallback: [],
    help: 'Other sites whose pages may call the API. Loopback origins are refused when the base URL is not on loopback.',
  }),
  trustedProxies: variable({
    name: 'COUNTERSIGN_TRUSTED_PROXIES',
    older: ['EDICTUM_TRUSTED_PROXIES'],
    reader: proxies,
    fallback: [] as readonly string[] | 'nearest',
    help: 'Proxies whose X-Forwarded-For is believed. * believes the nearest one only.',
  }),
  monitoringToken: variable<Secret, undefined>({
    name: 'COUNTERSIGN_MONITORING_TOKEN',
    reader: secretText,
    fallback: undefined,
    fallbackWords: 'none; /metrics answers on loopback only',
    help: 'Bearer token for /metrics and for the version in /api/v1/health.',
    isSecret: true,
  }),
  streamsPerTenant: variable({
    name: 'COUNTERSIGN_STREAMS_PER_TENANT',
    reader: integer(1, 1_000_000),
    fallback: 50_000,
    help: 'Agent streams one tenant may hold open, on all replicas together. Replicas hear of each other’s within seconds.',
  }),
  sessionHours: variable({
    name: 'COUNTERSIGN_SESSION_HOURS',
    older: ['EDICTUM_SESSION_TTL_HOURS'],
    reader: integer(1, 24 * 30),
    fallback: 24,
    help: 'Absolute lifetime of a browser’s session, in hours, until somebody changes it under Settings.',
  }),
  sessionIdleMinutes: variable({
    name: 'COUNTERSIGN_SESSION_IDLE_MINUTES',
    older: ['RGW_SETTING_SESSION_TIMEOUT_MINUTES'],
    reader: integer(1, 24 * 60),
    fallback: 30,
    help: 'A browser’s session unused for this long ends; until somebody changes it under Settings.',
  }),
  signInAttempts: variable({
    name: 'COUNTERSIGN_SIGN_IN_ATTEMPTS',
    older: ['EDICTUM_RATE_LIMIT_MAX_ATTEMPTS'],
    reader: integer(1, 10_000),
    fallback: 10,
    help: 'Sign-in attempts per window, for each address and for each account.',
  }),
  signInWindowSeconds: variable({
    name: 'COUNTERSIGN_SIGN_IN_WINDOW_SECONDS',
    older: ['EDICTUM_RATE_LIMIT_WINDOW_SECONDS'],
    reader: integer(1, 86_400),
    fallback: 300,
    help: 'Length of that window, in seconds.',
  }),
  anchorBucket: variable<string, undefined>({
    name: 'COUNTERSIGN_ANCHOR_BUCKET',
    older: ['AUDIT_ANCHOR_BUCKET'],
    reader: text,
    fallback: undefined,
    fallbackWords: 'none; the trail is not anchored',
    help: 'S3 bucket with Object Lock, into which signed checkpoints of the trail are written.',
  }),
  anchorChainId: variable<string, undefined>({
    name: 'COUNTERSIGN_ANCHOR_CHAIN_ID',
    older: ['AUDIT_ANCHOR_CHAIN_ID'],
    reader: chainId,
    fallback: undefined,
    fallbackWords: 'none; required with the bucket',
    help: 'Names the chain of anchors in its bucket. One installation, one name; a restored database begins a new one.',
  }),
  anchorRetentionDays: variable({
    name: 'COUNTERSIGN_ANCHOR_RETENTION_DAYS',
    older: ['AUDIT_ANCHOR_RETENTION_DAYS'],
    reader: integer(1, 36_500),
    fallback: 400,
    help: 'For how long each anchor is locked, in COMPLIANCE mode: nobody can delete it sooner, nor can this be taken back.',
  }),
  anchorIntervalMinutes: variable({
    name: 'COUNTERSIGN_ANCHOR_INTERVAL_MINUTES',
    older: ['AUDIT_ANCHOR_INTERVAL_MINUTES'],
    reader: integer(1, 10_080),
    fallback: 60,
    help: 'How often an anchor is written when there is something new.',
  }),
  s3Region: variable<string, undefined>({
    name: 'COUNTERSIGN_S3_REGION',
    platform: ['AWS_REGION'],
    reader: text,
    fallback: undefined,
    fallbackWords: 'us-east-1',
    help: 'Region of the bucket.',
  }),
  s3AccessKeyId: variable<string, undefined>({
    name: 'COUNTERSIGN_S3_ACCESS_KEY_ID',
    platform: ['AWS_ACCESS_KEY_ID'],
    reader: text,
    fallback: undefined,
    fallbackWords: 'what the machine’s role gives',
    help: 'Access key for the bucket.',
  }),
  s3SecretAccessKey: variable<Secret, undefined>({
    name: 'COUNTERSIGN_S3_SECRET_ACCESS_KEY',
    platform: ['AWS_SECRET_ACCESS_KEY'],
    reader: secretText,
    fallback: undefined,
    fallbackWords: 'what the machine’s role gives',
    help: 'Its secret.',
    isSecret: true,
  }),
  s3Endpoint: variable<string, undefined>({
    name: 'COUNTERSIGN_S3_ENDPOINT',
    platform: ['AWS_ENDPOINT_URL_S3'],
    reader: httpUrl,
    fallback: undefined,
    fallbackWords: 'Amazon S3',
    help: 'Address of another store that speaks S3 and has Object Lock; asked with the bucket in the path.',
  }),
  oidcProviders: variable({
    name: 'COUNTERSIGN_OIDC_PROVIDERS',
    reader: oidcProviders,
    fallback: [] as readonly Provider[],
    fallbackWords: 'none',
    help: 'Identity providers people may sign in with, as a JSON list; docs/identity.md describes each member. Register <base URL>/api/v2/sign-in/<name>/callback with them.',
    isSecret: true,
  }),
  googleClientId: variable<string, undefined>({
    name: 'COUNTERSIGN_GOOGLE_CLIENT_ID',
    older: ['GOOGLE_CLIENT_ID'],
    reader: text,
    fallback: undefined,
    fallbackWords: 'none',
    help: 'Sign-in with Google, or with whatever COUNTERSIGN_GOOGLE_BASE_URL names. Register <base URL>/api/v1/auth/web/callback.',
  }),
  googleClientSecret: variable<Secret, undefined>({
    name: 'COUNTERSIGN_GOOGLE_CLIENT_SECRET',
    older: ['GOOGLE_CLIENT_SECRET'],
    reader: secretText,
    fallback: undefined,
    fallbackWords: 'none',
    help: 'Belongs to COUNTERSIGN_GOOGLE_CLIENT_ID.',
    isSecret: true,
  }),
  googleAllowedDomain: variable<string, undefined>({
    name: 'COUNTERSIGN_GOOGLE_ALLOWED_DOMAIN',
    older: ['GOOGLE_ALLOWED_DOMAIN'],
    reader: text,
    fallback: undefined,
    fallbackWords: 'every domain',
    help: 'The domain of addresses that may sign in with Google; also demanded as the account’s hosted domain.',
  }),
  googleBaseUrl: variable({
    name: 'COUNTERSIGN_GOOGLE_BASE_URL',
    older: ['GOOGLE_OAUTH_BASE_URL'],
    reader: { form: 'URL', read: issuerIn },
    fallback: 'https://accounts.google.com',
    help: 'Issuer that COUNTERSIGN_GOOGLE_CLIENT_ID is registered with.',
  }),
} as const

type Variables = typeof variables

type ValueOf<Row> =
  Row extends Variable<infer Value, infer Fallback> ? (undefined extends Fallback ? Value | undefined : Value) : never

export type Config = {
  readonly [Name in keyof Variables]: ValueOf<Variables[Name]>
} & {
  /** Which variables were set, for the settings page to tell where a value comes from. */
  readonly given: ReadonlySet<string>
  readonly warnings: readonly string[]
}

/** Every mistake at once, each with its remedy. */
export class ConfigError extends Error {
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(
      `The configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${mistakes.map((mistake) => `  - ${mistake}`).join('\n')}`,
    )
    this.name = 'ConfigError'
    this.mistakes = mistakes
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/** Reads the environment by the table. `readFile` serves the `…_FILE` form, which every variable has. */
export function readConfig(environment: Environment, readFile: (path: string) => string): Config {
  const mistakes: string[] = []
  const values: Record<string, unknown> = {}
  const given = new Set<string>()

  for (const [key, row] of Object.entries<Variable<unknown, unknown>>(variables)) {
    const found = findText(row, environment, readFile, mistakes)
    values[key] = row.fallback
    if (found === undefined) continue
    given.add(row.name)
    try {
      values[key] = row.reader.read(found.text)
    } catch (cause) {
      mistakes.push(`${found.name} ${cause instanceof Error ? cause.message : String(cause)}.`)
    }
  }

  const known = new Set(Object.values(variables).flatMap(({ name }) => [name, `${name}_FILE`]))
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('COUNTERSIGN_') || known.has(name)) continue
    mistakes.push(`${name} is not a setting of this server${nearest(name, known)}.`)
  }

  const config = { ...values, given, warnings: [] } as unknown as Config
  const checked = mistakes.length === 0 ? checkTogether(config, mistakes) : config
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  return checked
}

/** One variable alone, by any of its names: for programs beside the server, which need not know all the rest. */
export function readVariable<Name extends keyof Variables>(
  key: Name,
  environment: Environment,
  readFile: (path: string) => string,
): ValueOf<Variables[Name]> {
  const row: Variable<unknown, unknown> = variables[key]
  const mistakes: string[] = []
  const found = findText(row, environment, readFile, mistakes)
  let value = row.fallback
  try {
    if (found !== undefined) value = row.reader.read(found.text)
  } catch (cause) {
    mistakes.push(`${found?.name ?? row.name} ${cause instanceof Error ? cause.message : String(cause)}.`)
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  return value as ValueOf<Variables[Name]>
}

type Found = { readonly name: string; readonly text: string }

function findText(
  row: Variable<unknown, unknown>,
  environment: Environment,
  readFile: (path: string) => string,
  mistakes: string[],
): Found | undefined {
  const look = (name: string): Found | undefined => {
    const text = environment[name]
    if (text !== undefined && text !== '') return { name, text }
    const path = environment[`${name}_FILE`]
    if (path === undefined || path === '') return undefined
    try {
      return { name: `${name}_FILE`, text: readFile(path).trim() }
    } catch (cause) {
      mistakes.push(
        `${name}_FILE names a file that cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
      )
      return undefined
    }
  }
  const found = [row.name, ...(row.older ?? [])].map(look).filter((one) => one !== undefined)
  const [first] = found
  const other = found.find(({ text }) => text !== first?.text)
  if (first && other) mistakes.push(`${first.name} and ${other.name} say different things. Keep one of them.`)
  return first ?? (row.platform ?? []).map(look).find((one) => one !== undefined) ?? row.fromPlatform?.(environment)
}

function checkTogether(config: Config, mistakes: string[]): Config {
  const warnings: string[] = []
  if (config.databaseUrl) {
    if (!config.secretKey)
      mistakes.push(
        'COUNTERSIGN_SECRET_KEY must be set when COUNTERSIGN_DATABASE_URL is: every replica needs the same. Make one with: openssl rand -hex 32',
      )
    if (!config.sealKey)
      mistakes.push(
        'COUNTERSIGN_SEAL_KEY must be set when COUNTERSIGN_DATABASE_URL is: every replica needs the same. Make one with: openssl rand -hex 32',
      )
    if (!config.migrateDatabaseUrl) {
      warnings.push(
        'COUNTERSIGN_MIGRATE_DATABASE_URL is not set, so the server runs as the role that owns its tables and could change the trail. Give it a restricted role.',
      )
    }
  }
  if ((config.adminEmail === undefined) !== (config.adminPassword === undefined)) {
    mistakes.push('COUNTERSIGN_ADMIN_EMAIL and COUNTERSIGN_ADMIN_PASSWORD belong together. Set both or none.')
  }
  if (config.anchorBucket !== undefined && config.anchorChainId === undefined) {
    mistakes.push(
      'COUNTERSIGN_ANCHOR_CHAIN_ID (or AUDIT_ANCHOR_CHAIN_ID) must be set when the anchors have a bucket: it names this installation’s chain in it, such as countersign-production.',
    )
  }
  if ((config.s3AccessKeyId === undefined) !== (config.s3SecretAccessKey === undefined)) {
    mistakes.push(
      'COUNTERSIGN_S3_ACCESS_KEY_ID and COUNTERSIGN_S3_SECRET_ACCESS_KEY (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) belong together. Set both or none.',
    )
  }
  if ((config.googleClientId === undefined) !== (config.googleClientSecret === undefined)) {
    mistakes.push(
      'COUNTERSIGN_GOOGLE_CLIENT_ID and COUNTERSIGN_GOOGLE_CLIENT_SECRET belong together. Set both or none.',
    )
  }
  if (config.googleClientId !== undefined && config.oidcProviders.some(({ name }) => name === 'google'))
    mistakes.push(
      'COUNTERSIGN_OIDC_PROVIDERS names google, which COUNTERSIGN_GOOGLE_CLIENT_ID describes too. Keep one of them.',
    )
  const isLocal = config.baseUrl === undefined || isLoopback(new URL(config.baseUrl).hostname)
  const refused = isLocal ? [] : config.corsOrigins.filter((origin) => isLoopback(new URL(origin).hostname))
  if (refused.length > 0)
    warnings.push(
      `COUNTERSIGN_CORS_ORIGINS names ${refused.join(', ')}, which is ignored since the base URL is not on loopback.`,
    )
  if (!isLocal && config.baseUrl?.startsWith('http:'))
    warnings.push('COUNTERSIGN_BASE_URL is not https, so passwords and cookies travel in clear.')
  if (config.baseUrl?.startsWith('https:') && config.trustedProxies.length === 0) {
    warnings.push(
      'COUNTERSIGN_TRUSTED_PROXIES is not set although the base URL is https: limits will count the proxy as one client.',
    )
  }
  return { ...config, corsOrigins: config.corsOrigins.filter((origin) => !refused.includes(origin)), warnings }
}

export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname === '::1' || /^127\./.test(hostname)
}

/** The known name that shares most letter pairs with a mistyped one. */
function nearest(name: string, known: ReadonlySet<string>): string {
  const pairs = (word: string): Set<string> =>
    new Set([...word.slice(12)].map((_, at) => word.slice(12).slice(at, at + 2)))
  const mine = pairs(name)
  const score = (other: string): number => {
    const theirs = pairs(other)
    const shared = [...mine].filter((pair) => theirs.has(pair)).length
    return (2 * shared) / (mine.size + theirs.size)
  }
  const [best] = [...known].sort((a, b) => score(b) - score(a))
  return best !== undefined && score(best) > 0.5 ? `; did you mean ${best}?` : ''
}
