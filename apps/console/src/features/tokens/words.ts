import type { Verdict } from '../../ui/verdicts.ts'
import type { ApiToken } from './types.ts'

const dayMs = 86_400_000
/** So long without a call, and somebody should ask whether it is still needed. */
const unusedDays = 90

export const statusMarks: Readonly<Record<ApiToken['status'], { readonly word: string; readonly verdict: Verdict }>> = {
  live: { word: 'Live', verdict: 'allowed' },
  expired: { word: 'Expired', verdict: 'timed-out' },
  revoked: { word: 'Revoked', verdict: 'cancelled' },
  stopped: { word: 'Stopped', verdict: 'blocked' },
}

export function isUnused(
  { status, last_used_at, made_at }: Pick<ApiToken, 'status' | 'last_used_at' | 'made_at'>,
  now: number,
): boolean {
  return status === 'live' && now - Date.parse(last_used_at ?? made_at) > unusedDays * dayMs
}

export function holds({ name, prefix, owner }: Pick<ApiToken, 'name' | 'prefix' | 'owner'>, words: string | undefined) {
  const sought = (words ?? '').trim().toLowerCase()
  return [name, prefix, owner.label].some((text) => text.toLowerCase().includes(sought))
}

export const lifetimes = [
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: 'A year' },
] as const

/** As long as may be, unless a number of days is chosen. */
export function expiryOf(days: string, now: number): string | undefined {
  return days === '' ? undefined : new Date(now + Number(days) * dayMs).toISOString()
}

/** Programs that carry the token; the token itself is put in once, where it is made. */
export function snippetsOf(url: string, token: string): readonly { readonly name: string; readonly text: string }[] {
  return [
    { name: 'curl', text: `curl -sS ${url}/api/v2/rulesets \\\n  -H "Authorization: Bearer ${token}"` },
    {
      name: 'Shell',
      text: `export COUNTERSIGN_URL=${url}\nexport COUNTERSIGN_TOKEN=${token}\ncountersign rules check guard.yaml`,
    },
    {
      name: 'GitHub Actions',
      text: `# gh secret set COUNTERSIGN_TOKEN, then:\nenv:\n  COUNTERSIGN_URL: ${url}\n  COUNTERSIGN_TOKEN: \${{ secrets.COUNTERSIGN_TOKEN }}`,
    },
  ]
}
