import type { FactorStatus } from '@countersign/wire'
import type { Person } from '../roles/index.ts'
import { listDevices } from './devices-table.ts'
import type { FactorNeeds } from './factor-needs.ts'
import { listFactors } from './factors-table.ts'
import { countBackupCodes, readState } from './proofs-tables.ts'
import type { TrustDevices } from './trust-devices.ts'

type Needs = Pick<FactorNeeds, 'kernel' | 'yubico'> & { readonly devices: TrustDevices }

/** One's own factors. Before the second step only what is needed to take it: no browsers, no addresses. */
export function readOwnFactors({ kernel: { db, clock }, devices }: Pick<Needs, 'kernel' | 'devices'>) {
  return async (who: Person) => {
    const now = clock.now()
    const isOpen = who.factors.isVerified || !who.factors.isEnrolled
    const days = await devices.days(who.tenant)
    const [factors, state, codes, trusted] = await Promise.all([
      listFactors(db, who.tenant, who.id),
      readState(db, who.tenant, who.id),
      countBackupCodes(db, who.tenant, who.id),
      isOpen ? listDevices(db, who.tenant, who.id, now, days) : [],
    ])
    return { factors, state, codes, trusted, days, now }
  }
}

/** The same as the console shows it. */
export function readFactorStatus({ yubico, ...needs }: Needs) {
  const read = readOwnFactors(needs)
  return async (who: Person, cookieHeader: string | undefined): Promise<FactorStatus> => {
    const { factors, state, codes, trusted, days, now } = await read(who)
    const current = needs.devices.digestsIn(cookieHeader)
    const lockedUntil = state?.lockedUntil && state.lockedUntil > now ? state.lockedUntil : null
    return {
      is_enrolled: who.factors.isEnrolled,
      is_required: who.factors.isRequired,
      is_verified: who.factors.isVerified,
      is_stepped_up: who.factors.isSteppedUp,
      has_password: who.factors.hasPassword,
      factors: factors.map((factor) => ({
        id: factor.id,
        kind: factor.kind,
        label: factor.label,
        made_at: factor.madeAt.toISOString(),
        last_used_at: factor.lastUsedAt?.toISOString() ?? null,
        is_backed_up: factor.isBackedUp,
        cli_capable: factor.cliCapable,
      })),
      preferred_kind: state?.preferredKind ?? null,
      backup_codes: { total: codes.total, unused: codes.unused, made_at: codes.madeAt?.toISOString() ?? null },
      trusted_devices: trusted.map((device) => ({
        id: device.id,
        label: device.label,
        address: device.address,
        made_at: device.madeAt.toISOString(),
        last_used_at: device.lastUsedAt?.toISOString() ?? null,
        expires_at: device.expiresAt.toISOString(),
        is_current: current.includes(device.tokenDigest),
      })),
      trusted_device_days: days,
      yubico_is_configured: yubico !== undefined,
      locked_until: lockedUntil?.toISOString() ?? null,
    }
  }
}
