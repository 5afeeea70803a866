import type { Verdict } from '../../ui/verdicts.ts'
import type { Person, PersonStatus, RoleGrant } from './types.ts'

type Mark = { readonly word: string; readonly verdict: Verdict }

export const standingMarks: Readonly<Record<PersonStatus, Mark>> = {
  active: { word: 'Active', verdict: 'allowed' },
  invited: { word: 'Invited', verdict: 'held' },
  locked: { word: 'Locked', verdict: 'blocked' },
  suspended: { word: 'Suspended', verdict: 'timed-out' },
}

/** Where a role holds: `everywhere`, `in staging`, `on rack east`, `on rack east in staging`. */
export function placeWords({ environment, rack = null }: Omit<RoleGrant, 'role'>): string {
  const words = [...(rack === null ? [] : [`on rack ${rack}`]), ...(environment === null ? [] : [`in ${environment}`])]
  return words.length === 0 ? 'everywhere' : words.join(' ')
}

/** `admin`, `deployer in staging, ops on rack east, viewer`. */
export function rolesWords(roles: readonly RoleGrant[]): string {
  return roles
    .map(({ role, ...place }) => {
      const where = placeWords(place)
      return where === 'everywhere' ? role : `${role} ${where}`
    })
    .join(', ')
}

export const factorWords = { passkey: 'Passkey', totp: 'Authenticator app', yubico: 'Yubico key' } as const

/** `Passkey, Authenticator app`: each kind once, the strongest first. */
export function factorsWords(factors: Person['factors']): string {
  const kinds = new Set(factors.map(({ kind }) => kind))
  return (['passkey', 'yubico', 'totp'] as const)
    .filter((kind) => kinds.has(kind))
    .map((kind) => factorWords[kind])
    .join(', ')
}

export function holds({ name, email }: Pick<Person, 'name' | 'email'>, words: string | undefined): boolean {
  const sought = (words ?? '').trim().toLowerCase()
  return [name, email].some((text) => text.toLowerCase().includes(sought))
}

export function isSameGrants(one: readonly RoleGrant[], other: readonly RoleGrant[]): boolean {
  return rolesWords(one.toSorted(byText)) === rolesWords(other.toSorted(byText))
}

function byText(one: RoleGrant, other: RoleGrant): number {
  return rolesWords([one]).localeCompare(rolesWords([other]))
}
