import { type Findings, quote, type Span } from '../diagnostic.ts'

/**
 * Python agents read YAML 1.1, everyone else 1.2. Unquoted words that mean something else there are pointed out, since
 * the same bytes would be another ruleset.
 */
export function lintScalar(source: string, value: unknown, at: Span, path: string, findings: Findings): void {
  const otherwise = readByPython(source, value)
  if (otherwise === undefined) return
  findings.warn({
    code: 'yaml.ambiguous',
    at,
    path,
    message: `Unquoted ${quote(source)} is ${kindOf(value)} here, but Python agents read ${otherwise}.`,
    hint: 'Put it in quotes if it is meant as text, or write it in a form all readers agree on.',
  })
}

function readByPython(source: string, value: unknown): string | undefined {
  if (source.length > 64) return undefined
  if (typeof value === 'string') {
    if (/^(?:yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/.test(source)) return 'a boolean'
    if (/^\d{4}-\d\d?-\d\d?(?:$|[Tt]|[ \t]+\d)/.test(source)) return 'a date'
    if (/^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/.test(source)) return 'a number (base 60)'
    if (/^[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)$/.test(source)) return 'a number'
    return undefined
  }
  if (typeof value !== 'number') return undefined
  if (/^[-+]?0[0-7]+$/.test(source)) return 'an octal number'
  if (/^0o/.test(source)) return 'text'
  if (/[eE]/.test(source) && !/^0x/.test(source) && !/^[-+]?[0-9]+\.[0-9]*[eE][-+][0-9]+$/.test(source)) return 'text'
  if (/^[-+]?[0-9]+$/.test(source) && !Number.isSafeInteger(value)) return 'a whole number with more digits'
  return undefined
}

function kindOf(value: unknown): string {
  return typeof value === 'number' ? `the number ${value}` : 'text'
}
