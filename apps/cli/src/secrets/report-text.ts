import type { KeyNeed, KeyUse, Progress, Resealing, UnlistedRow } from '../../../server/src/features/secrets/index.ts'

export type SecretsReport = {
  /** Nothing after a dry run. */
  readonly resealing: Resealing | undefined
  readonly keyId: string
  readonly uses: readonly KeyUse[]
  readonly unlisted: readonly UnlistedRow[]
}

const number = (rows: number): string => rows.toLocaleString('en-US')

export function progressText({ column, done, of }: Progress): string {
  return `${column}: ${number(done)} of ${number(of)}\n`
}

/** For people: what was done, what is left, which old keys can go. */
export function reportText({ resealing, keyId, uses, unlisted }: SecretsReport): string {
  const parts = [resealing ? doneText(resealing, keyId) : dryRunText(uses, keyId)]
  if (resealing && resealing.leftCount > 0) {
    const named = resealing.left.map(({ column, key, why }) => `  ${column} ${key.join(' ')}: ${why}`)
    parts.push(
      [`Left as they are, since they could not be opened: ${number(resealing.leftCount)}`, ...named].join('\n'),
    )
  }
  if (unlisted.length > 0) parts.push(unlistedText(uses, unlisted))
  const dead = uses.filter(({ variable, standing }) => variable !== 'COUNTERSIGN_SEAL_KEY' && standing === 'unlisted')
  if (dead.length > 0) parts.push(deadText(dead))
  parts.push(oldKeysText(uses))
  return `${parts.join('\n\n')}\n`
}

export function reportJson({ resealing, keyId, uses, unlisted }: SecretsReport): string {
  return `${JSON.stringify({
    dry_run: resealing === undefined,
    key_id: keyId,
    ...(resealing && {
      resealed: resealing.resealed,
      left: resealing.leftCount,
      left_rows: resealing.left.map(({ column, key, why }) => ({ column, key, why })),
    }),
    unlisted_rows: unlisted.map(({ column, key, keyId: under }) => ({ column, key, key_id: under })),
    keys: uses.map(({ variable, keyId: id, standing, position, needs }) => ({
      variable,
      key_id: id,
      standing,
      position,
      can_go: standing === 'old' && needs.length === 0,
      needed_by: needs,
    })),
  })}\n`
}

function doneText({ resealed }: Resealing, keyId: string): string {
  const rows = Object.entries(resealed)
  if (rows.length === 0) return `Nothing is sealed under a listed old key. The current one is ${keyId}.`
  return [`Sealed anew under ${keyId}:`, ...rows.map(([column, count]) => `  ${column}: ${number(count)}`)].join('\n')
}

function dryRunText(uses: readonly KeyUse[], keyId: string): string {
  const lines = uses
    .filter(({ variable }) => variable === 'COUNTERSIGN_SEAL_KEY')
    .flatMap(({ keyId: id, standing, needs }) =>
      needs.map(({ column, rows }) => `  ${column} under ${id} (${standing}): ${number(rows ?? 0)}`),
    )
  return [`What is sealed; whatever is under an old key would come under ${keyId}:`, ...lines].join('\n')
}

function unlistedText(uses: readonly KeyUse[], unlisted: SecretsReport['unlisted']): string {
  const missing = uses.filter(
    ({ variable, standing }) => variable === 'COUNTERSIGN_SEAL_KEY' && standing === 'unlisted',
  )
  const keys = missing.map(({ keyId, needs }) => `${keyId} (${number(sum(needs))} rows)`).join(', ')
  return [
    `Sealed under a key that was not given: ${keys}. Put it into COUNTERSIGN_OLD_SEAL_KEYS and run this again:`,
    ...unlisted.map(({ column, key, keyId }) => `  ${column} ${key.join(' ')} under ${keyId}`),
  ].join('\n')
}

/** Not a fault of this command's: an operator may have meant it. */
function deadText(dead: readonly KeyUse[]): string {
  const lines = dead.flatMap(({ keyId, needs }) =>
    needs.map(({ words, rows }) => `  ${words} under ${keyId}: ${number(rows ?? 0)}`),
  )
  return ['Digests under a secret key that was not given, so that nobody gets in with them:', ...lines].join('\n')
}

const sum = (needs: readonly KeyNeed[]): number => needs.reduce((total, { rows }) => total + (rows ?? 0), 0)

function oldKeysText(uses: readonly KeyUse[]): string {
  const old = uses.filter(({ standing }) => standing === 'old')
  if (old.length === 0) return 'No old keys are listed.'
  return ['Old keys:', ...old.flatMap(oldKeyLines)].join('\n')
}

function oldKeyLines({ variable, keyId, position, needs }: KeyUse): readonly string[] {
  const list = `${variable.replace('COUNTERSIGN_', 'COUNTERSIGN_OLD_')}S`
  const name = `  ${keyId}, number ${position ?? 0} of ${list}`
  if (needs.length === 0) return [`${name}: nothing needs it any more. Take it out, and restart every server.`]
  return [`${name}: still needed by`, ...needs.map((need) => `    ${needText(need)}`)]
}

function needText({ words, rows, until }: KeyNeed): string {
  return `${rows === null ? words : `${words}: ${number(rows)}`} (${untilWords[until]})`
}

const untilWords: Readonly<Record<KeyNeed['until'], string>> = {
  reseal: 'until this command seals them anew',
  use: 'each is renewed by a server when it is next used',
  expiry: 'until they end by themselves',
  replacement: 'until they are used or their owners make new ones',
  retention: 'for as long as these entries are kept and their MACs are to be checked',
}
