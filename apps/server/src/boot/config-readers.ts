import { isChainId } from '@countersign/trail'
import { Secret } from '../kernel/crypto.ts'

/** Turns the text of a variable into a value, or throws an Error whose message is the remedy. */
export type Reader<Value> = { readonly read: (text: string) => Value; readonly form: string }

export const text: Reader<string> = { form: 'text', read: (given) => given }

export function oneOf<const Word extends string>(...words: readonly Word[]): Reader<Word> {
  return {
    form: words.join(' · '),
    read: (given) => {
      const found = words.find((word) => word === given.toLowerCase())
      if (found === undefined) throw new Error(`must be one of ${words.join(', ')}, not ${JSON.stringify(given)}`)
      return found
    },
  }
}

export function integer(minimum: number, maximum: number): Reader<number> {
  return {
    form: `${minimum} to ${maximum}`,
    read: (given) => {
      const value = Number(given)
      if (!/^\d+$/.test(given) || value < minimum || value > maximum) {
        throw new Error(`must be a whole number from ${minimum} to ${maximum}`)
      }
      return value
    },
  }
}

export const boolean: Reader<boolean> = {
  form: 'true · false',
  read: (given) => {
    if (['true', '1', 'yes', 'on'].includes(given.toLowerCase())) return true
    if (['false', '0', 'no', 'off'].includes(given.toLowerCase())) return false
    throw new Error('must be true or false')
  },
}

/** E-mail addresses, each once, in small letters. */
export const addresses: Reader<readonly string[]> = {
  form: 'comma-separated e-mail addresses',
  read: (given) => {
    const found = [...new Set(list.read(given).map((one) => one.toLowerCase()))]
    const odd = found.find((one) => !/^[^\s@]+@[^\s@]+$/.test(one) || one.length > 254)
    if (odd !== undefined) throw new Error(`names ${odd}, which is no e-mail address`)
    return found
  },
}

export const list: Reader<readonly string[]> = {
  form: 'comma-separated list',
  read: (given) =>
    given
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
}

/** One or more of these words, each once. */
export function someOf<const Word extends string>(...words: readonly [Word, ...Word[]]): Reader<readonly Word[]> {
  return {
    form: `comma-separated: ${words.join(' · ')}`,
    read: (given) => {
      const found = list.read(given).map((part) => {
        const word = words.find((known) => known === part.toLowerCase())
        if (word === undefined)
          throw new Error(
            `names ${JSON.stringify(part)}, which is none of ${words.join(', ')}. Name one or more of them`,
          )
        return word
      })
      if (found.length === 0) throw new Error(`names nothing. Name one or more of ${words.join(', ')}`)
      return [...new Set(found)]
    },
  }
}

export const origins: Reader<readonly string[]> = {
  form: 'comma-separated origins',
  read: (given) =>
    list.read(given).map((origin) => {
      if (origin === '*') throw new Error('must name each origin: with * any page could act for whoever is signed in')
      if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
        throw new Error(`${JSON.stringify(origin)} is not an origin like https://app.example.com`)
      }
      return origin
    }),
}

/** `*` of the older product trusted whatever a client wrote; here it means the nearest proxy and no more. */
export const proxies: Reader<readonly string[] | 'nearest'> = {
  form: 'addresses and CIDR ranges, or *',
  read: (given) => {
    if (given.trim() === '*') return 'nearest'
    return list.read(given).map((range) => {
      const [address = '', bits] = range.split('/')
      const isRange = /^[0-9a-fA-F:.]+$/.test(address) && (bits === undefined || /^\d{1,3}$/.test(bits))
      if (!isRange) throw new Error(`${JSON.stringify(range)} is not an address or a range like 10.0.0.0/8`)
      return range
    })
  },
}

export const httpUrl: Reader<string> = {
  form: 'URL',
  read: (given) => {
    if (!URL.canParse(given)) throw new Error('must be a URL like https://countersign.example.com')
    const url = new URL(given)
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error('must begin with http:// or https://')
    if (url.search !== '' || url.hash !== '' || url.username !== '')
      throw new Error('must be a plain address without query or user')
    return given.replace(/\/+$/, '')
  },
}

export const chainId: Reader<string> = {
  form: 'letters, digits, dots, dashes',
  read: (given) => {
    if (!isChainId(given)) throw new Error('must be 1 to 100 letters, digits, dots, dashes or underscores')
    return given
  },
}

export const databaseUrl: Reader<Secret> = {
  form: 'postgres://…',
  read: (given) => {
    // Older environment files name the Python driver in the scheme.
    const url = given.replace(/^postgres(?:ql)?(?:\+[a-z0-9]+)?:\/\//, 'postgresql://')
    if (!url.startsWith('postgresql://') || !URL.canParse(url))
      throw new Error('must be a URL like postgresql://user:password@host:5432/name')
    return new Secret(url)
  },
}

/** The URL that libpq's own variables amount to; undefined without PGHOST. */
export function databaseUrlOfLibpq(
  environment: Readonly<Record<string, string | undefined>>,
): { readonly name: string; readonly text: string } | undefined {
  const { PGHOST, PGPORT = '5432', PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE } = environment
  if (PGHOST === undefined || PGHOST === '') return undefined
  const part = encodeURIComponent
  const who = PGUSER === undefined ? '' : `${part(PGUSER)}${PGPASSWORD === undefined ? '' : `:${part(PGPASSWORD)}`}@`
  // A folder is where a Unix socket lies, which a URL says in its query.
  const isFolder = PGHOST.startsWith('/')
  const query = new URLSearchParams({ ...(isFolder && { host: PGHOST }), ...(PGSSLMODE && { sslmode: PGSSLMODE }) })
  const host = isFolder ? 'localhost' : PGHOST.includes(':') ? `[${PGHOST}]` : PGHOST
  const text = `postgresql://${who}${host}:${PGPORT}/${part(PGDATABASE ?? PGUSER ?? '')}`
  return { name: 'PGHOST', text: query.size > 0 ? `${text}?${query.toString()}` : text }
}

export const redisUrl: Reader<Secret> = {
  form: 'redis://… · rediss://…',
  read: (given) => {
    if (!/^rediss?:\/\//.test(given) || !URL.canParse(given))
      throw new Error('must be a URL like redis://:password@host:6379/0')
    return new Secret(given)
  },
}

const tooShort = 'must have at least 32 characters; make one with: openssl rand -hex 32'
const notHex = 'must be 64 hexadecimal characters (32 bytes); make one with: openssl rand -hex 32'

function secretOf(given: string, isRight: (text: string) => boolean, remedy: string): Secret {
  if (!isRight(given)) throw new Error(remedy)
  return new Secret(given)
}

const isLong = (given: string): boolean => given.length >= 32
const isHex = (given: string): boolean => /^[0-9a-fA-F]{64}$/.test(given)
/** Or as a server with its own PostgreSQL has made it, so that it can be taken elsewhere and rotated: 32 bytes too. */
const isSealKey = (given: string): boolean => isHex(given) || /^[\w-]{43}$/.test(given)
const words = (given: string): readonly string[] => given.split(/[\s,]+/).filter((word) => word !== '')

export const secretKey: Reader<Secret> = {
  form: 'at least 32 characters',
  read: (given) => secretOf(given, isLong, tooShort),
}

/** Secrets that were replaced: they still open what was made with them. */
export const olderSecretKeys: Reader<readonly Secret[]> = {
  form: 'secrets separated by commas or spaces',
  read: (given) => words(given).map((word) => secretOf(word, isLong, tooShort)),
}

/** As the older product demanded of its own: exactly 64 hexadecimal characters. */
export const sealKey: Reader<Secret> = {
  form: '64 hexadecimal characters, or what a data folder keeps as seal-key',
  read: (given) => secretOf(given, isSealKey, notHex),
}

export const olderSealKeys: Reader<readonly Secret[]> = {
  form: 'keys separated by commas or spaces',
  read: (given) => words(given).map((word) => secretOf(word, isSealKey, notHex)),
}

export const olderSecrets: Reader<readonly Secret[]> = {
  form: 'secrets separated by commas or spaces',
  read: (given) => words(given).map((word) => new Secret(word)),
}

export const secretText: Reader<Secret> = { form: 'secret', read: (given) => new Secret(given) }

export const logLevel: Reader<'debug' | 'info' | 'warn' | 'error'> = {
  form: 'debug · info · warn · error',
  read: (given) => {
    const word = given.toLowerCase()
    if (word === 'warning') return 'warn'
    if (word === 'critical' || word === 'fatal') return 'error'
    return oneOf('debug', 'info', 'warn', 'error').read(word)
  },
}
