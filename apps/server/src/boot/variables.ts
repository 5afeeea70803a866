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
  someOf,
  text,
} from './config-readers.ts'
import { issuerIn, oidcProviders } from './oidc-reader.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** What was set, and under which name. */
export type Found = { readonly name: string; readonly text: string }

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
  drainSeconds: variable({
    name: 'COUNTERSIGN_DRAIN_SECONDS',
    reader: integer(0, 600),
    fallback: 0,
    help: 'When told to stop, say for so long that it is not ready and still take requests, so that a load balancer notices first.',
  }),
  secretKey: variable<Secret, undefined>({
    name: 'COUNTERSIGN_SECRET_KEY',
    older: ['EDICTUM_SECRET_KEY'],
    // Rack Gateway's own; beside another of these names it is another key, not a contradiction.
    platform: ['APP_SECRET_KEY'],
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
    help: 'Earlier values of COUNTERSIGN_SECRET_KEY: what was made with them stays valid. `countersign secrets reseal` tells when one can go.',
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
    help: 'Earlier values of COUNTERSIGN_SEAL_KEY: what was sealed with them still opens. `countersign secrets reseal` tells when one can go.',
    isSecret: true,
  }),
  trailMacSecret: variable<Secret, undefined>({
    name: 'COUNTERSIGN_TRAIL_MAC_SECRET',
    older: ['AUDIT_HMAC_SECRET'],
    reader: secretKey,
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
    help: 'production hides the version, and the API description from whoever may not read the settings.',
  }),
  roles: variable({
    name: 'COUNTERSIGN_ROLES',
    reader: someOf('api', 'worker'),
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
  logRetentionDays: variable<number, undefined>({
    name: 'COUNTERSIGN_LOG_RETENTION_DAYS',
    older: ['LOG_RETENTION_DAYS'],
    reader: integer(1, 36_500),
    fallback: undefined,
    fallbackWords: 'none; the trail is kept for ever',
    help: 'Entries of the trail older than this are archived beside the anchors and then removed. Needs the bucket of the anchors.',
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

export type Variables = typeof variables

export type ValueOf<Row> =
  Row extends Variable<infer Value, infer Fallback> ? (undefined extends Fallback ? Value | undefined : Value) : never
