import { splitWords } from './shell-words.ts'

export type Address =
  | { readonly is: 'host'; readonly host: string }
  | { readonly is: 'file'; readonly path: string }
  /** `scheme://` with nobody behind it, or nothing that can be read as an address. */
  | { readonly is: 'unknown' }

const schemeStart = /[A-Za-z][A-Za-z0-9+.-]*:\/\//

/** Every address in a text: the whole, or each of its shell words. */
export function addressesIn(text: string): readonly Address[] {
  if (!text.includes('://')) return []
  const words = /\s/.test(text) ? splitWords(text) : [text]
  return words.flatMap((word) => {
    const start = word.search(schemeStart)
    return start === -1 ? [] : [readAddress(word.slice(start))]
  })
}

function readAddress(text: string): Address {
  const url = parseUrl(text)
  if (!url) return { is: 'unknown' }
  if (url.protocol === 'file:' && url.hostname === '') return { is: 'file', path: url.pathname }
  return url.hostname === '' ? { is: 'unknown' } : { is: 'host', host: tidyHost(url.hostname) }
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

function tidyHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
}

/** A domain pattern in the form hosts are brought to; stars stay. */
export function tidyDomainPattern(pattern: string): string {
  const labels = pattern.split('.').map((label) => {
    if (/[*?[\]]/.test(label) || !/[^\u0000-\u007F]/.test(label)) return label
    return parseUrl(`http://${label}`)?.hostname ?? label
  })
  return tidyHost(labels.join('.'))
}
