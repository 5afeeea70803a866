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
    serializers: { err: told },
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

const kept = [
  ...['type', 'message', 'stack', 'code', 'syscall', 'status', 'error', 'error_description'],
  ...['severity', 'table', 'column', 'constraint', 'routine'],
]

/**
 * What a log may hold of an error. Those of PostgreSQL repeat the row that it could not write, and those of its driver
 * carry the whole connection with the key that cancels its queries.
 */
function told(cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause
  const fields: object = pino.stdSerializers.err(cause)
  return Object.fromEntries(Object.entries(fields).filter(([name]) => kept.includes(name)))
}
