import type { Secret } from '../kernel/crypto.ts'
import { errorCode } from './data-folder.ts'
import { type Environment, type Found, type ValueOf, type Variable, type Variables, variables } from './variables.ts'

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

/** Reads the environment by the table. `readFile` serves the `…_FILE` form, which every variable has. */
export function readConfig(environment: Environment, readFile: (path: string) => string): Config {
  const mistakes: string[] = []
  const values: Record<string, unknown> = {}
  const given = new Set<string>()
  const unread = new Set<string>()

  for (const [key, row] of Object.entries<Variable<unknown, unknown>>(variables)) {
    const before = mistakes.length
    const found = findText(row, environment, readFile, mistakes)
    values[key] = row.fallback
    if (mistakes.length > before) unread.add(key)
    if (found === undefined) continue
    given.add(row.name)
    try {
      values[key] = row.reader.read(found.text)
    } catch (cause) {
      unread.add(key)
      mistakes.push(`${found.name} ${cause instanceof Error ? cause.message : String(cause)}.`)
    }
  }

  const known = new Set(Object.values(variables).flatMap(({ name }) => [name, `${name}_FILE`]))
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('COUNTERSIGN_') || known.has(name)) continue
    mistakes.push(`${name} is not a setting of this server${nearest(name, known)}`)
  }

  const config = { ...values, given, warnings: [] } as unknown as Config
  mistakes.push(...leftFromTests(environment, config.baseUrl))
  const checked = checkTogether(config, (key) => config[key] === undefined && !unread.has(key), mistakes)
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

function findText(
  row: Variable<unknown, unknown>,
  environment: Environment,
  readFile: (path: string) => string,
  mistakes: string[],
): Found | undefined {
  const look = (name: string): readonly Found[] => {
    const text = environment[name] ?? ''
    const path = environment[`${name}_FILE`] ?? ''
    const kept = path === '' ? undefined : readKept(`${name}_FILE`, path, readFile, mistakes)
    return [...(text === '' ? [] : [{ name, text }]), ...(kept === undefined ? [] : [kept])]
  }
  const found = [row.name, ...(row.older ?? [])].flatMap(look)
  const [first] = found
  const other = found.find(({ text }) => text !== first?.text)
  if (first && other) mistakes.push(`${first.name} and ${other.name} say different things. Keep one of them.`)
  return first ?? (row.platform ?? []).flatMap(look)[0] ?? row.fromPlatform?.(environment)
}

/** What the file holds that a `…_FILE` variable names. One without anything in it is a mistake: as a secret everybody knows it. */
function readKept(
  name: string,
  path: string,
  readFile: (path: string) => string,
  mistakes: string[],
): Found | undefined {
  try {
    const text = readFile(path).trim()
    if (text !== '') return { name, text }
    mistakes.push(`${name} names ${path}, which is empty. Put the value into it, or leave the variable out.`)
  } catch (cause) {
    mistakes.push(`${name} names ${path}, ${unreadable(cause)}.`)
  }
  return undefined
}

const troubles: Readonly<Record<string, string>> = {
  ENOENT: 'which does not exist',
  ENOTDIR: 'which does not exist',
  EISDIR: 'which is a folder',
  EACCES: 'which the user this runs as may not read',
  EPERM: 'which the user this runs as may not read',
}

function unreadable(cause: unknown): string {
  return troubles[errorCode(cause)] ?? `which cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`
}

/** Keys that serve one purpose each, and must not serve two. */
function sameSecrets({ secretKey, sealKey, trailMacSecret }: Config): readonly (readonly [string, string])[] {
  const keys: readonly (readonly [string, Secret | undefined])[] = [
    ['COUNTERSIGN_SECRET_KEY', secretKey],
    ['COUNTERSIGN_SEAL_KEY', sealKey],
    ['COUNTERSIGN_TRAIL_MAC_SECRET', trailMacSecret],
  ]
  return keys.flatMap(([name, key], at) =>
    keys
      .slice(at + 1)
      .filter(([, other]) => key !== undefined && other?.matches(key.reveal()) === true)
      .map(([other]) => [name, other] as const),
  )
}

/** What is wrong between variables. One that was set and could not be read has been told already and is not missing. */
function checkTogether(config: Config, isMissing: (key: keyof Variables) => boolean, mistakes: string[]): Config {
  const warnings: string[] = []
  if (!isMissing('databaseUrl')) {
    if (isMissing('secretKey'))
      mistakes.push(
        'COUNTERSIGN_SECRET_KEY must be set when COUNTERSIGN_DATABASE_URL is: every replica needs the same. Make one with: openssl rand -hex 32',
      )
    if (isMissing('sealKey'))
      mistakes.push(
        'COUNTERSIGN_SEAL_KEY must be set when COUNTERSIGN_DATABASE_URL is: every replica needs the same. Make one with: openssl rand -hex 32',
      )
    if (isMissing('migrateDatabaseUrl')) {
      warnings.push(
        'COUNTERSIGN_MIGRATE_DATABASE_URL is not set, so the server runs as the role that owns its tables and could change the trail. Give it a restricted role.',
      )
    }
  }
  for (const [one, other] of sameSecrets(config))
    mistakes.push(`${one} and ${other} are the same secret. Whoever learns one would have both: make one of them anew.`)
  if (isMissing('adminEmail') !== isMissing('adminPassword')) {
    mistakes.push('COUNTERSIGN_ADMIN_EMAIL and COUNTERSIGN_ADMIN_PASSWORD belong together. Set both or none.')
  }
  if (!isMissing('anchorBucket') && isMissing('anchorChainId')) {
    mistakes.push(
      'COUNTERSIGN_ANCHOR_CHAIN_ID (or AUDIT_ANCHOR_CHAIN_ID) must be set when the anchors have a bucket: it names this installation’s chain in it, such as countersign-production.',
    )
  }
  if (!isMissing('logRetentionDays') && isMissing('anchorBucket')) {
    mistakes.push(
      'COUNTERSIGN_LOG_RETENTION_DAYS (or LOG_RETENTION_DAYS) needs COUNTERSIGN_ANCHOR_BUCKET: what leaves the trail is archived there first. Name a bucket with Object Lock, or leave the variable out to keep the trail for ever.',
    )
  }
  if (isMissing('s3AccessKeyId') !== isMissing('s3SecretAccessKey')) {
    mistakes.push(
      'COUNTERSIGN_S3_ACCESS_KEY_ID and COUNTERSIGN_S3_SECRET_ACCESS_KEY (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) belong together. Set both or none.',
    )
  }
  if (isMissing('googleClientId') !== isMissing('googleClientSecret')) {
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

/**
 * Switches of Rack Gateway that take its protection away. Here they would do nothing, and whoever set them on a public
 * address meant another installation: its settings must not begin to serve people.
 */
function leftFromTests(environment: Environment, baseUrl: string | undefined): readonly string[] {
  if (!baseUrl?.startsWith('https:') || isLoopback(new URL(baseUrl).hostname)) return []
  const isOn = (text: string | undefined): boolean => /^(1|t|true|yes|on)$/i.test(text?.trim() ?? '')
  return ['DEV_MODE', 'E2E_TEST_MODE']
    .filter((name) => isOn(environment[name]))
    .map(
      (name) =>
        `${name} is on although people reach this server at ${baseUrl}: it belongs to a machine for development, and nothing here can be switched off by it. Leave it out.`,
    )
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
  return best !== undefined && score(best) > 0.5 ? `; did you mean ${best}?` : '. Leave it out.'
}
