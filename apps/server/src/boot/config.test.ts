import { describe, expect, test } from 'vitest'
import { randomToken } from '../kernel/crypto.ts'
import { ConfigError, readConfig } from './config.ts'
import { variables } from './variables.ts'

const noFile = () => {
  throw new Error('no such file')
}

function mistakes(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment, noFile)
    return []
  } catch (cause) {
    if (cause instanceof ConfigError) return cause.mistakes
    throw cause
  }
}

const external = {
  COUNTERSIGN_DATABASE_URL: 'postgres://u:p@127.0.0.1/x',
  COUNTERSIGN_SECRET_KEY: 's'.repeat(32),
  COUNTERSIGN_SEAL_KEY: 'a'.repeat(64),
}

describe('configuration', () => {
  test('nothing set is a complete configuration', () => {
    expect(readConfig({}, noFile)).toMatchObject({
      port: 8000,
      host: 'localhost',
      dataDir: './data',
      profile: 'development',
      roles: ['api', 'worker'],
    })
  })

  test('every mistake is told at once, each with its name', () => {
    const found = mistakes({
      COUNTERSIGN_PORT: 'many',
      COUNTERSIGN_PROFILE: 'prod',
      COUNTERSIGN_CORS_ORIGINS: '*',
      COUNTERSIGN_BASE_URL: 'countersign',
      COUNTERSIGN_TRUSTED_PROXIES: 'everybody',
    })
    expect(found).toHaveLength(5)
    for (const name of [
      'COUNTERSIGN_PORT',
      'COUNTERSIGN_PROFILE',
      'COUNTERSIGN_CORS_ORIGINS',
      'COUNTERSIGN_BASE_URL',
      'COUNTERSIGN_TRUSTED_PROXIES',
    ]) {
      expect(found.join('\n')).toContain(name)
    }
  })

  test('a word that is not taken is told with those that are', () => {
    expect(mistakes({ COUNTERSIGN_PROFILE: 'prod', COUNTERSIGN_ROLES: 'api, workers' })).toEqual([
      'COUNTERSIGN_PROFILE must be one of development, staging, production, not "prod".',
      'COUNTERSIGN_ROLES names "workers", which is none of api, worker. Name one or more of them.',
    ])
    expect(mistakes({ COUNTERSIGN_ROLES: ' , ' })).toEqual([
      'COUNTERSIGN_ROLES names nothing. Name one or more of api, worker.',
    ])
    expect(readConfig({ COUNTERSIGN_ROLES: 'Worker,worker' }, noFile).roles).toEqual(['worker'])
  })

  test('what is wrong between variables is told together with what is wrong in one, and nothing is told twice', () => {
    const found = mistakes({
      COUNTERSIGN_PORT: 'many',
      COUNTERSIGN_DATABASE_URL: 'postgres://u:p@127.0.0.1/x',
      COUNTERSIGN_SEAL_KEY: 'short',
      COUNTERSIGN_ADMIN_EMAIL: 'a@example.com',
      COUNTERSIGN_QWERTZ: 'x',
    })
    expect(found).toEqual([
      expect.stringMatching(/^COUNTERSIGN_PORT must be/),
      expect.stringMatching(/^COUNTERSIGN_SEAL_KEY must be 64/),
      'COUNTERSIGN_QWERTZ is not a setting of this server. Leave it out.',
      expect.stringMatching(/^COUNTERSIGN_SECRET_KEY must be set/),
      expect.stringMatching(/^COUNTERSIGN_ADMIN_EMAIL and COUNTERSIGN_ADMIN_PASSWORD belong together/),
    ])
    expect(mistakes({ ...external, COUNTERSIGN_DATABASE_URL: 'mysql://x' })).toHaveLength(1)
  })

  test('the seal key that a data folder has made is one too, also as an older one, so that it can be rotated', () => {
    const made = randomToken()
    expect(mistakes({ ...external, COUNTERSIGN_SEAL_KEY: made })).toEqual([])
    expect(mistakes({ ...external, COUNTERSIGN_OLD_SEAL_KEYS: `${made}, ${'c'.repeat(64)}` })).toEqual([])
    expect(mistakes({ ...external, COUNTERSIGN_SEAL_KEY: made.slice(1) })).toHaveLength(1)
  })

  test('a mistyped name of ours is an error that guesses what was meant; names of others are not our business', () => {
    expect(mistakes({ COUNTERSIGN_DATABSE_URL: 'x' })).toEqual([
      'COUNTERSIGN_DATABSE_URL is not a setting of this server; did you mean COUNTERSIGN_DATABASE_URL?',
    ])
    expect(mistakes({ PATH: '/bin', EDICTUM_SOMETHING: 'x' })).toEqual([])
  })

  test('an external database needs secrets that every replica shares', () => {
    const found = mistakes({ COUNTERSIGN_DATABASE_URL: 'postgres://u:p@127.0.0.1/x' })
    expect(found.join('\n')).toMatch(/COUNTERSIGN_SECRET_KEY[^]*COUNTERSIGN_SEAL_KEY/)
    expect(mistakes(external)).toEqual([])
  })

  test('one secret for two purposes is an error that names both, and not the secret', () => {
    const same = 'a'.repeat(64)
    for (const [more, names] of [
      [{ COUNTERSIGN_SECRET_KEY: same }, ['COUNTERSIGN_SECRET_KEY', 'COUNTERSIGN_SEAL_KEY']],
      [{ AUDIT_HMAC_SECRET: same }, ['COUNTERSIGN_SEAL_KEY', 'COUNTERSIGN_TRAIL_MAC_SECRET']],
    ] as const) {
      const [said = '', ...others] = mistakes({ ...external, ...more })
      expect(others).toEqual([])
      for (const name of names) expect(said).toContain(name)
      expect(said).not.toContain(same)
    }
  })

  test('a secret that could be guessed is refused by its name, whichever name it was given under', () => {
    for (const name of [
      'COUNTERSIGN_SECRET_KEY',
      'APP_SECRET_KEY',
      'COUNTERSIGN_TRAIL_MAC_SECRET',
      'AUDIT_HMAC_SECRET',
    ]) {
      const { COUNTERSIGN_SECRET_KEY: _given, ...others } = external
      const [said = ''] = mistakes({
        ...(name.endsWith('SECRET_KEY') ? others : external),
        [name]: 'too short a secret',
      })
      expect(said).toContain(name)
      expect(said).toContain('at least 32 characters')
      expect(said).not.toContain('too short a secret')
    }
  })

  test('a bucket for anchors without the name of a chain in it does not start', () => {
    expect(mistakes({ ...external, AUDIT_ANCHOR_BUCKET: 'anchors' })).toEqual([
      expect.stringContaining('AUDIT_ANCHOR_CHAIN_ID'),
    ])
  })

  test('retention without a bucket for what it removes does not start', () => {
    const alone = { ...external, LOG_RETENTION_DAYS: '365' }
    expect(mistakes(alone)).toEqual([expect.stringMatching(/LOG_RETENTION_DAYS.* needs COUNTERSIGN_ANCHOR_BUCKET/)])
    const anchored = { ...alone, AUDIT_ANCHOR_BUCKET: 'anchors', AUDIT_ANCHOR_CHAIN_ID: 'acme' }
    expect(mistakes(anchored)).toEqual([])
    expect(mistakes({ ...anchored, LOG_RETENTION_DAYS: '0' })).not.toEqual([])
  })

  test('environment files of the older console work as they are', () => {
    const config = readConfig(
      {
        EDICTUM_DATABASE_URL: 'postgresql+asyncpg://u:p@127.0.0.1/x',
        EDICTUM_REDIS_URL: 'redis://:p@127.0.0.1:6379/0',
        EDICTUM_SECRET_KEY: 's'.repeat(40),
        EDICTUM_SIGNING_KEY_SECRET: 'B'.repeat(64),
        EDICTUM_BASE_URL: 'https://console.example.com/',
        EDICTUM_ADMIN_EMAIL: 'a@example.com',
        EDICTUM_ADMIN_PASSWORD: 'correct horse battery',
        EDICTUM_SESSION_TTL_HOURS: '12',
        EDICTUM_RATE_LIMIT_MAX_ATTEMPTS: '7',
        EDICTUM_RATE_LIMIT_WINDOW_SECONDS: '60',
        EDICTUM_CORS_ORIGINS: 'http://localhost:3000,https://app.example.com',
        EDICTUM_ENV_NAME: 'production',
        EDICTUM_LOG_LEVEL: 'WARNING',
        EDICTUM_TRUSTED_PROXIES: '10.0.0.0/8, 192.168.1.1',
      },
      noFile,
    )
    expect(config.databaseUrl?.reveal()).toBe('postgresql://u:p@127.0.0.1/x')
    expect(config).toMatchObject({
      baseUrl: 'https://console.example.com',
      sessionHours: 12,
      signInAttempts: 7,
      signInWindowSeconds: 60,
      profile: 'production',
      logLevel: 'warn',
      trustedProxies: ['10.0.0.0/8', '192.168.1.1'],
    })
    // Loopback origins are really refused when the public address is elsewhere.
    expect(config.corsOrigins).toEqual(['https://app.example.com'])
  })

  test('two product names that say different things are an error that names both; the same thing twice is fine', () => {
    expect(mistakes({ COUNTERSIGN_LOG_LEVEL: 'info', EDICTUM_LOG_LEVEL: 'debug' })[0]).toMatch(
      /COUNTERSIGN_LOG_LEVEL and EDICTUM_LOG_LEVEL/,
    )
    expect(mistakes({ COUNTERSIGN_LOG_LEVEL: 'info', EDICTUM_LOG_LEVEL: 'info' })).toEqual([])
  })

  test('switches that take the protection of the older gateway away do nothing here, and keep a public server from starting', () => {
    const switches = { DEV_MODE: 'true', E2E_TEST_MODE: 'TRUE', COOKIE_SECURE: 'false', DEBUG_TOPICS: '*' }
    expect(readConfig(switches, noFile)).toEqual(readConfig({}, noFile))
    const here = 'https://countersign.example.com'
    const found = mistakes({ ...switches, COUNTERSIGN_BASE_URL: here })
    expect(found).toHaveLength(2)
    expect(found[0]).toMatch(/^DEV_MODE is on although .*https:\/\/countersign\.example\.com.* Leave it out\.$/)
    expect(found[1]).toMatch(/^E2E_TEST_MODE is on/)
    expect(mistakes({ DEV_MODE: 'false', E2E_TEST_MODE: '0', COUNTERSIGN_BASE_URL: here })).toEqual([])
    expect(mistakes({ ...switches, COUNTERSIGN_BASE_URL: 'https://localhost:8443' })).toEqual([])
  })

  test('names that platforms set are used last and never conflict', () => {
    expect(readConfig({ PORT: '9000' }, noFile).port).toBe(9000)
    expect(readConfig({ PORT: '9000', COUNTERSIGN_PORT: '9001' }, noFile).port).toBe(9001)
  })

  test('the secret of either older product serves alone, and that of Rack Gateway gives way to the other', () => {
    const read = (more: Record<string, string>) =>
      readConfig({ ...external, COUNTERSIGN_SECRET_KEY: '', ...more }, noFile).secretKey?.reveal()
    expect(read({ APP_SECRET_KEY: 'r'.repeat(40) })).toBe('r'.repeat(40))
    expect(read({ APP_SECRET_KEY: 'r'.repeat(40), EDICTUM_SECRET_KEY: 'e'.repeat(40) })).toBe('e'.repeat(40))
  })

  test('libpq’s own variables name the database when nothing else does', () => {
    const { COUNTERSIGN_DATABASE_URL: _, ...secrets } = external
    const read = (more: Record<string, string>) => readConfig({ ...secrets, ...more }, noFile).databaseUrl?.reveal()
    const all = {
      PGHOST: 'db.internal',
      PGPORT: '6432',
      PGUSER: 'app',
      PGPASSWORD: 'p@ss/word',
      PGDATABASE: 'counter sign',
    }
    expect(read({ ...all, PGSSLMODE: 'require' })).toBe(
      'postgresql://app:p%40ss%2Fword@db.internal:6432/counter%20sign?sslmode=require',
    )
    expect(read({ PGHOST: '::1', PGUSER: 'app' })).toBe('postgresql://app@[::1]:5432/app')
    expect(read({ PGHOST: '/var/run/postgresql', PGUSER: 'app' })).toBe(
      'postgresql://app@localhost:5432/app?host=%2Fvar%2Frun%2Fpostgresql',
    )
    expect(read({ PGPORT: '6432', PGUSER: 'app' })).toBeUndefined()
    expect(read({ ...all, DATABASE_URL: 'postgres://u:p@127.0.0.1/x' })).toBe('postgresql://u:p@127.0.0.1/x')
    expect(mistakes({ PGHOST: 'db.internal' }).join(' ')).toContain('COUNTERSIGN_SECRET_KEY')
  })

  test('every variable can be read from a file, and a missing file is told', () => {
    const config = readConfig(
      { ...external, COUNTERSIGN_SECRET_KEY: '', COUNTERSIGN_SECRET_KEY_FILE: '/run/secret' },
      () => `${'f'.repeat(40)}\n`,
    )
    expect(config.secretKey?.reveal()).toBe('f'.repeat(40))
    expect(mistakes({ COUNTERSIGN_SETUP_TOKEN_FILE: '/nowhere' })[0]).toContain('COUNTERSIGN_SETUP_TOKEN_FILE')
  })

  test('a file for a secret that is missing, empty, a folder or closed is told by its path, for every secret, and never taken as an empty one', () => {
    const secrets = Object.values<(typeof variables)[keyof typeof variables]>(variables).filter(({ name }) =>
      /SECRET|TOKEN|PASSWORD|KEY|DATABASE_URL|REDIS_URL/.test(name),
    )
    expect(secrets.length).toBeGreaterThan(10)
    const failing = (code: string) => (): string => {
      throw Object.assign(new Error(`${code}: words of the system`), { code })
    }
    const troubles: readonly (readonly [() => string, string])[] = [
      [failing('ENOENT'), 'which does not exist'],
      [failing('EISDIR'), 'which is a folder'],
      [failing('EACCES'), 'which the user this runs as may not read'],
      [failing('EIO'), 'which cannot be read: EIO: words of the system'],
      [() => '', 'which is empty. Put the value into it, or leave the variable out'],
      [() => ' \r\n\n', 'which is empty. Put the value into it, or leave the variable out'],
    ]
    for (const { name } of secrets) {
      for (const [read, told] of troubles) {
        expect(() => readConfig({ [`${name}_FILE`]: '/run/s' }, read)).toThrow(`${name}_FILE names /run/s, ${told}.`)
      }
    }
  })

  test('a variable and its file that say different things are a mistake; the same twice is none', () => {
    const both = { ...external, COUNTERSIGN_SECRET_KEY: 'a'.repeat(40), COUNTERSIGN_SECRET_KEY_FILE: '/run/s' }
    expect(() => readConfig(both, () => 'b'.repeat(40))).toThrow(
      'COUNTERSIGN_SECRET_KEY and COUNTERSIGN_SECRET_KEY_FILE say different things. Keep one of them.',
    )
    expect(readConfig(both, () => `${'a'.repeat(40)}\n`).secretKey?.reveal()).toBe('a'.repeat(40))
  })

  test('a secret may hold any character, and no mistake repeats it', () => {
    const config = readConfig(
      { ...external, COUNTERSIGN_SECRET_KEY: `with, comma and space ${'x'.repeat(20)}` },
      noFile,
    )
    expect(config.secretKey?.reveal()).toContain('with, comma')
    expect(mistakes({ ...external, COUNTERSIGN_SEAL_KEY: 'my-secret-seal' }).join('')).not.toContain('my-secret-seal')
  })

  test('every variable has help, and its fallback passes its own reader', () => {
    for (const row of Object.values(variables)) {
      expect(row.help).toMatch(/\.$/)
      if (row.fallback !== undefined && typeof row.fallback !== 'object')
        expect(row.reader.read(String(row.fallback))).toEqual(row.fallback)
    }
  })
})
