import type { ResolvePath } from './call.ts'

/** Absolute and without `.`, `..`, repeated or trailing slashes, from the text alone. */
export function lexicalPath(path: string, workingDirectory: string): string {
  const whole = path.startsWith('/') ? path : `${workingDirectory}/${path}`
  const parts: string[] = []
  for (const part of whole.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return `/${parts.join('/')}`
}

/** A folder that bounds what a rule allows. */
export interface Boundary {
  readonly path: string
  /** What everything below it begins with. */
  readonly prefix: string
}

export function boundaryOf(path: string): Boundary {
  return { path, prefix: path === '/' ? '/' : `${path}/` }
}

export function isInside(path: string, boundary: Boundary): boolean {
  return path.startsWith(boundary.prefix) || path === boundary.path
}

/** Already as `lexicalPath` would write it, and nothing to decode in it: so are nearly all paths. */
export function isPlainPath(path: string): boolean {
  if (path.charCodeAt(0) !== 0x2f) return false
  let dots = 0
  let others = 0
  for (let at = 1; at < path.length; at += 1) {
    const unit = path.charCodeAt(at)
    if (unit === 0x2f) {
      if (others === 0 && dots <= 2) return false
      dots = 0
      others = 0
    } else if (unit === 0x2e) dots += 1
    else if (unit <= 0x1f || unit === 0x25 || (unit >= 0x7f && unit <= 0x9f)) return false
    else others += 1
  }
  return others > 0 || dots > 2
}

export type PathForms =
  /** Each must satisfy the rule: the path as written and as it reads after each round of percent-decoding. */
  { readonly is: 'forms'; readonly forms: readonly string[] } | { readonly is: 'bad' }

const decodingRounds = 3
const control = /[\u0000-\u001F\u007F-\u009F]/

export function pathForms(raw: string, workingDirectory: string, resolve: ResolvePath | undefined): PathForms {
  const forms: string[] = []
  let text = raw
  for (let round = 0; round <= decodingRounds; round += 1) {
    if (control.test(text)) return { is: 'bad' }
    const lexical = lexicalPath(text, workingDirectory)
    forms.push(lexical)
    if (resolve) {
      const resolved = resolve(lexical)
      // Where links cannot be followed the text must satisfy the rule, and what is known of the target too.
      forms.push(resolved.path)
      if (resolved.isUncertain && resolved.path !== lexical) return { is: 'bad' }
    }
    if (!/%[0-9a-fA-F]{2}/.test(text)) break
    const decoded = decode(text)
    if (decoded === undefined) return { is: 'bad' }
    text = decoded
  }
  return { is: 'forms', forms: [...new Set(forms)] }
}

function decode(text: string): string | undefined {
  try {
    // Only what is an escape; a lone percent sign is a character of the name.
    return text.replace(/(?:%[0-9a-fA-F]{2})+/g, decodeURIComponent)
  } catch {
    return undefined
  }
}
