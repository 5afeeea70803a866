import { pino } from 'pino'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

type Write = (fields: object, text: string) => void

/** JSON lines: `error` asks a human to act now, `warn` is odd but handled, `info` tells of people's acts. */
export type Log = { readonly debug: Write; readonly info: Write; readonly warn: Write; readonly error: Write }

// The last net below `Secret`: names under which a secret would travel if somebody logged a whole object.
const hidden = ['password', 'token', 'key', 'secret', 'authorization', 'cookie', 'seed'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
])

export function makeLog(level: LogLevel, destination?: { readonly write: (line: string) => void }): Log {
  const options = {
    level,
    base: null,
    timestamp: () => `,"at":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'text',
    redact: { paths: hidden, censor: '[secret]' },
    serializers: { err: withoutRows },
  }
  const logger = destination ? pino(options, destination) : pino(options, pino.destination({ dest: 2, sync: true }))
  return {
    debug: (fields, text) => {
      logger.debug(fields, text)
    },
    info: (fields, text) => {
      logger.info(fields, text)
    },
    warn: (fields, text) => {
      logger.warn(fields, text)
    },
    error: (fields, text) => {
      logger.error(fields, text)
    },
  }
}

/** PostgreSQL repeats the row that it could not write: addresses, digests and boxes, which no log may keep. */
function withoutRows(err: Error): object {
  const {
    detail: _row,
    where: _place,
    internalQuery: _query,
    ...told
  } = pino.stdSerializers.err(err) as SerializedPgError
  return told
}

type SerializedPgError = ReturnType<typeof pino.stdSerializers.err> & {
  readonly detail?: unknown
  readonly where?: unknown
  readonly internalQuery?: unknown
}
