import type { Sql } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import type { Person } from '../roles/index.ts'
import { makeAttempts } from './attempts.ts'
import { sweepDevices } from './devices-table.ts'
import { enrollFactors } from './enroll-factor.ts'
import type { FactorNeeds } from './factor-needs.ts'
import { findFactor } from './factors-table.ts'
import { manageFactors } from './manage-factors.ts'
import { sweepChallenges } from './proofs-tables.ts'
import { proveFactors } from './prove-factor.ts'
import { readFactorStatus } from './read-status.ts'
import { requiredRoles } from './required-roles.ts'
import { resetFactors } from './reset-factors.ts'
import { trustDevices } from './trust-devices.ts'
import { type YubicoConfig, yubicoChecker } from './yubico.ts'

type Needs = Omit<FactorNeeds, 'attempt' | 'yubico'> & {
  readonly log: Pick<Log, 'error'>
  readonly isSecure: boolean
  readonly yubico: YubicoConfig | undefined
  readonly trustedDeviceDays: (tenant: string) => Promise<number>
  readonly stepUpMinutes: (tenant: string) => Promise<number>
}

/** Second factors, whole: adding, proving, managing, resetting. */
export function makeMfa({ log, isSecure, yubico, trustedDeviceDays, stepUpMinutes, ...shared }: Needs) {
  const { db, clock, bus } = shared.kernel
  const { recordAct } = shared
  const attempt = makeAttempts({ db, clock, recordAct, log })
  const needs: FactorNeeds = { ...shared, attempt, yubico: yubico && yubicoChecker(yubico) }
  const devices = trustDevices({ ...needs, keyring: needs.keyrings.keyring, days: trustedDeviceDays, isSecure })
  return {
    attempt,
    rp: needs.rp,
    /** Of the person themselves only. */
    factorOf: (tx: Sql, who: Person, id: string) => findFactor(tx, who.tenant, who.id, id),
    devices,
    enroll: enrollFactors(needs),
    prove: proveFactors(needs),
    manage: manageFactors(needs),
    reset: resetFactors(needs),
    roles: requiredRoles({ db, bus, recordAct }),
    status: readFactorStatus({ ...needs, devices }),
    stepUpMinutes,
    sweep: async (): Promise<void> => {
      await sweepChallenges(db, clock.now())
      await sweepDevices(db, clock.now())
    },
  }
}

export type Mfa = ReturnType<typeof makeMfa>
