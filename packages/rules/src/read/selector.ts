import { quote, type Span } from '../diagnostic.ts'
import type { Reading } from './fields.ts'

export const exactSelectors = [
  'environment',
  'tool.name',
  'principal.user_id',
  'principal.service_id',
  'principal.org_id',
  'principal.role',
  'principal.ticket_ref',
] as const
/** What goes on behind the dot is the caller's. */
export const openSelectors = ['args.', 'principal.claims.', 'metadata.', 'env.'] as const
/** Likewise, once the tool has run. */
export const resultSelectors = ['output.', 'result.'] as const

const exact: ReadonlySet<string> = new Set(exactSelectors)

/** A selector nobody knows is silently missing at run time: the rule never fires. So it is said at load. */
export function checkSelector(
  selector: string,
  stage: 'pre' | 'post',
  { at, path }: { readonly at: Span; readonly path: string },
  reading: Reading,
): boolean {
  if (resultSelectors.some((prefix) => isBelow(selector, prefix))) {
    if (stage === 'post') return true
    if (selector === 'output.text') {
      reading.findings.error({
        code: 'expr.pre_output',
        at,
        path,
        message: 'output.text is not known before the tool ran: a pre rule cannot use it.',
        hint: 'Make it a post rule, or test the arguments instead.',
      })
      return false
    }
    return unknown(`${quote(selector)} is not known before the tool ran: in a pre rule it is always missing`)
  }
  if (exact.has(selector) || openSelectors.some((prefix) => isBelow(selector, prefix))) return true
  const prefix = selector.slice(0, Math.max(0, selector.indexOf('.')))
  if (reading.customSelectors.has(prefix)) return true
  return unknown(`Unknown selector ${quote(selector)}: it is always missing, so the test can never hold`)

  function unknown(message: string): boolean {
    const hint = 'Selectors begin with args. tool.name principal. environment env. metadata. output.text or result.'
    const finding = {
      code: 'expr.selector',
      at,
      path,
      message: `${message}.`,
      hint,
    }
    if (reading.isStrict) reading.findings.error(finding)
    else reading.findings.warn(finding)
    return !reading.isStrict
  }
}

function isBelow(selector: string, prefix: string): boolean {
  return selector.length > prefix.length && selector.startsWith(prefix)
}
