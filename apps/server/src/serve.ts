import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { type Config, ConfigError, isLoopback, readConfig } from './boot/config.ts'
import { buildConsole } from './boot/console-build.ts'
import { type DataFolder, openDataFolder } from './boot/data-folder.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './boot/embedded-postgres.ts'
import { fullDisk } from './boot/full-disk.ts'
import { knowSecrets } from './boot/known-secrets.ts'
import { keepMemoryLow } from './boot/memory.ts'
import { migrate, pendingMigrations } from './boot/migrate.ts'
import { systemClock } from './kernel/clock.ts'
import { type Keyring, makeKeyring, randomToken, Secret } from './kernel/crypto.ts'
import { type Db, openDb } from './kernel/db.ts'
import { type Log, makeLog } from './kernel/log.ts'

/** How long requests under way may take to finish once the process was told to stop. */
const drainMs = 20_000
/** How long what was opened may take to close when the start fails: the reason is what somebody waits for. */
const givingUpMs = 5_000

/** Reads the environment, starts everything, and stops it again on SIGTERM or SIGINT. */
export async function serve(environment: Readonly<Record<string, string | undefined>>): Promise<void> {
  const begun = performance.now()
  let log: Log | undefined
  try {
    if (existsSync('.env')) process.loadEnvFile('.env')
    const config = readConfig(environment, (path) => readFileSync(path, 'utf8'))
    log = makeLog(config.logLevel)
    for (const warning of config.warnings) log.warn({}, warning)
    await start(config, log, begun)
  } catch (cause) {
    fail(cause, log)
  }
}

async function start(config: Config, log: Log, begun: number): Promise<void> {
  const consoleBuilt = buildConsole({ say, log })
  // Awaited at the end; until then nobody else listens for its failure.
  consoleBuilt.catch(() => undefined)
  // A port that is taken must be told before a database was started, or changed, for nothing.
  if (config.roles.includes('api')) await tryListening(config)

  const folder = config.databaseUrl ? undefined : await openDataFolder(config.dataDir)
  // Most of the code is read while the database starts. A failure is told where it is read for use.
  const onLaunched = (): void => void import('./compose.ts').catch(() => undefined)
  const postgres = folder && (await startEmbeddedPostgres({ folder, log, say, onLaunched }))
  const { url, ownerUrl } = databaseUrls(config, postgres)
  const opened: Close[] = postgres ? [postgres.stop] : []
  try {
    await migrate({ ownerUrl, appUrl: url, log })
    const { keyring, sealing } = await keyrings(config, folder)
    const db = openDb({
      url,
      applicationName: 'countersign',
      connectionsMax: config.databaseConnections,
      onBrokenConnection: (err) => {
        log.warn({ err }, 'A connection to the database broke; another will be opened')
      },
    })
    opened.push(db.end)
    await run({ config, log, begun, db, keyring, sealing, consoleBuilt, opened })
  } catch (cause) {
    // While one of our own connections is open the embedded database takes it for another's and runs on for nobody.
    const late = AbortSignal.timeout(givingUpMs)
    await Promise.race([closeAll(opened).catch(() => undefined), once(late, 'abort')])
    throw (postgres && (await fullDisk(cause, postgres.home))) ?? cause
  }
}

type Close = () => Promise<void>

/** What was opened last closes first. */
async function closeAll(opened: readonly Close[]): Promise<void> {
  for (const close of opened.toReversed()) await close()
}

function databaseUrls(config: Config, postgres: EmbeddedPostgres | undefined): { url: string; ownerUrl: string } {
  if (postgres) return { url: postgres.url, ownerUrl: postgres.ownerUrl }
  const url = config.databaseUrl?.reveal() ?? ''
  return { url, ownerUrl: config.migrateDatabaseUrl?.reveal() ?? url }
}

/** Secrets are made by themselves only beside the embedded database: elsewhere every replica must be given the same. */
async function keyrings(
  config: Config,
  folder: DataFolder | undefined,
): Promise<{ keyring: Keyring; sealing: Keyring }> {
  const current = async (given: Secret | undefined, name: string): Promise<string> => {
    if (given) return given.reveal()
    if (!folder) throw new Error(`The secret ${name} was not given.`)
    return folder.secret(name, () => randomToken())
  }
  const older = (secrets: readonly Secret[]): readonly string[] => secrets.map((secret) => secret.reveal())
  return {
    keyring: makeKeyring([await current(config.secretKey, 'secret-key'), ...older(config.oldSecretKeys)]),
    sealing: makeKeyring([await current(config.sealKey, 'seal-key'), ...older(config.oldSealKeys)]),
  }
}

type Running = {
  readonly config: Config
  readonly log: Log
  readonly begun: number
  readonly db: Db
  readonly keyring: Keyring
  readonly sealing: Keyring
  readonly consoleBuilt: Promise<void>
  /** What has to be closed at the end; grows with what is opened here. */
  readonly opened: Close[]
}

async function run(running: Running): Promise<void> {
  const { config, log, begun, db, keyring, sealing, consoleBuilt, opened } = running
  const { compose } = await import('./compose.ts')
  const clock = systemClock()
  const measure = measureClock(db, clock)
  await measure()
  await knowSecrets(db, clock.now(), { COUNTERSIGN_SECRET_KEY: keyring, COUNTERSIGN_SEAL_KEY: sealing })

  const baseUrl = config.baseUrl ?? `http://localhost:${config.port}`
  const setupSecret = config.setupToken ?? new Secret(keyring.derive('setup-token').toString('base64url').slice(0, 32))
  const app = compose({
    config,
    baseUrl,
    version: ownVersion(),
    db,
    clock,
    log,
    keyring,
    sealing,
    setupSecret,
    pendingMigrations: async () => (await pendingMigrations((text) => db.query(text))).length,
  })
  const stops = [clock.every(10_000, () => measure().catch(() => undefined)), keepMemoryLow({ clock })]
  opened.push(async () => {
    for (const one of stops) one()
    await app.stop()
  })
  await app.start()
  const bootstrap = await app.bootstrap(config.adminEmail, config.adminPassword)

  if (config.roles.includes('api')) {
    await consoleBuilt
    await listen(app.http, config)
  }
  const stop = stopOnce(() => closeAll(opened), { log, withinMs: config.drainSeconds * 1_000 + drainMs })
  process.once('SIGTERM', stop).once('SIGINT', stop)

  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  if (!isLoopback(config.host)) log.info({ host: config.host }, 'Listening beyond this machine')
  say(`countersign ready on ${baseUrl} (${seconds} s)`)
  if (bootstrap === 'not given') say(`Set it up: ${baseUrl}/setup?token=${setupSecret.reveal()}`)
}

async function tryListening(config: Config): Promise<void> {
  const probe = createServer()
  const listening = once(probe, 'listening')
  const listenOn = (on: ListenOn): Promise<unknown> => {
    probe.listen({ ...on, exclusive: true })
    return listening
  }
  await listen({ listen: listenOn }, config)
  probe.close()
  await once(probe, 'close')
}

async function listen(http: Listening, { host, port }: Config): Promise<void> {
  try {
    // A fleet that comes back at once: whoever finds the queue full tries again after 1, 3, 7 and 15 seconds.
    await http.listen({ host, port, backlog: 16_384 })
  } catch (cause) {
    const remedy = remedies[(cause as NodeJS.ErrnoException).code ?? '']
    if (remedy === undefined) throw cause
    throw new Error(`${host} cannot be listened on at port ${port}. ${remedy}`, { cause })
  }
}

type ListenOn = { readonly host: string; readonly port: number; readonly backlog: number }
type Listening = { readonly listen: (on: ListenOn) => Promise<unknown> }

const remedies: Readonly<Record<string, string>> = {
  EADDRINUSE:
    'Another program, or another Countersign, has that port. Stop it, or set COUNTERSIGN_PORT to one that is free.',
  EACCES: 'This user may not open that port. Set COUNTERSIGN_PORT to 1024 or above.',
  EADDRNOTAVAIL: 'This machine does not have that address. Set COUNTERSIGN_HOST to one of its own.',
}

/** Sets our clock to the database's, so that every replica means the same moment by now. */
function measureClock(db: Db, clock: ReturnType<typeof systemClock>): () => Promise<void> {
  return async () => {
    const before = clock.now().getTime() - clock.offsetMs()
    const [row] = await db.query<{ at: Date }>(`select clock_timestamp() as at`)
    const after = clock.now().getTime() - clock.offsetMs()
    // Half the round trip is as near as one can tell.
    if (row) clock.adjust(row.at.getTime() - (before + after) / 2)
  }
}

function stopOnce(work: () => Promise<void>, { log, withinMs }: { log: Log; withinMs: number }): () => void {
  let isStopping = false
  return () => {
    // A second signal means: now.
    if (isStopping) process.exit(1)
    isStopping = true
    const late = setTimeout(() => {
      log.error({}, 'Stopping took too long; what was under way is cut off')
      process.exit(1)
    }, withinMs)
    late.unref()
    work().then(
      () => process.exit(0),
      (cause: unknown) => {
        log.error({ err: cause }, 'Stopping failed')
        process.exit(1)
      },
    )
  }
}

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const manifest = JSON.parse(text) as { version: string }
  return manifest.version
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** One readable sentence; the stack only where it helps to debug. */
function fail(cause: unknown, log: Log | undefined): never {
  const text = cause instanceof Error ? cause.message : String(cause)
  process.stderr.write(cause instanceof ConfigError ? `${text}\n` : `Countersign cannot start: ${text}\n`)
  log?.debug({ err: cause }, 'Cannot start')
  process.exit(1)
}
