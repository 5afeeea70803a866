import type { Sql } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import type { Person } from '../roles/index.ts'
import { makeAttempts } from './attempts.ts'
import { findDeviceId, sweepDevices } from './devices-table.ts'
import { enrollFactors } from './enroll-factor.ts'
import type { FactorNeeds } from './factor-needs.ts'
import { findFactor, findFactorByNo } from './factors-table.ts'
import { manageFactors } from './manage-factors.ts'
import { findChallengeId, sweepChallenges } from './proofs-tables.ts'
import { proveFactors } from './prove-factor.ts'
import { readFactorStatus, readOwnFactors } from './read-status.ts'
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
    own: readOwnFactors({ ...needs, devices }),
    /** What older clients name by numbers, of the person themselves only. */
    byNo: {
      factor: (who: Person, no: number) => findFactorByNo(db, who.tenant, who.id, no),
      ofId: async (who: Person, id: string) => (await findFactor(db, who.tenant, who.id, id))?.wireNo ?? 0,
      device: (who: Person, no: number) => findDeviceId(db, who.tenant, who.id, no),
      enrollment: (who: Person, no: number) => {
        const of = { tenant: who.tenant, person: who.id, session: who.sessionId, purpose: 'enroll' as const }
        return findChallengeId(db, of, no)
      },
    },
    stepUpMinutes,
    sweep: async (): Promise<void> => {
      await sweepChallenges(db, clock.now())
      await sweepDevices(db, clock.now())
    },
  }
}

export type Mfa = ReturnType<typeof makeMfa>
