import { readFile } from 'node:fs/promises'
import { type EntryMac, type MacFinding, macChecker } from '@countersign/trail'
import type { MacReport, OtherFault } from './report.ts'

export type MacResult = MacFinding | 'missing'

/** What can be said of an entry's MAC by itself. */
export function checkMac(secrets: readonly Uint8Array[]): (bytes: Uint8Array, mac: EntryMac | undefined) => MacResult {
  const check = macChecker(secrets)
  return (bytes, mac) => (mac === undefined ? 'missing' : check(bytes, mac))
}

/**
 * Counts what was found of entries in their order. Whoever can write the database but does not know the secret can take a
 * MAC away; so an entry without one is a fault once an earlier one had it.
 */
export function countMacs() {
  const counts = { good: 0, wrong: 0, unknown_key: 0, missing: 0 }
  let isExpected = false
  return {
    take: (number: number, found: MacResult): OtherFault | undefined => {
      counts[found]++
      if (found === 'missing' && isExpected)
        return { is: 'mac_missing', number, says: `Entry ${number} has no MAC although earlier ones have.` }
      if (found === 'wrong')
        return { is: 'mac_wrong', number, says: `Entry ${number} does not have the MAC of its bytes.` }
      isExpected ||= found !== 'missing'
      // Whoever could name another secret without being noticed could write any MAC.
      if (found === 'unknown_key')
        return { is: 'mac_unknown', number, says: `Entry ${number} has a MAC made with a secret that was not given.` }
      return undefined
    },
    report: (): MacReport => ({ ...counts }),
  }
}

/** One secret a line: today's and those before it, so that nothing secret stands in a command line. */
export async function readMacSecrets(path: string): Promise<readonly Uint8Array[]> {
  const lines = (await readFile(path, 'utf8')).split(/\r?\n/).filter((line) => line !== '')
  if (lines.length === 0) throw new Error(`${path} is empty. It holds the secrets of AUDIT_HMAC_SECRET, one a line.`)
  return lines.map((line) => Buffer.from(line, 'utf8'))
}
