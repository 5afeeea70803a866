import type { FactorKind } from '@countersign/wire'
import { randomToken } from '../../kernel/crypto.ts'
import type { Tx } from '../../kernel/db.ts'
import { notFound, Problem, problems } from '../../kernel/problem.ts'
import type { Person, RequestFacts } from '../roles/index.ts'
import { clearProofs } from '../sessions/index.ts'
import { actorOf } from '../trail/index.ts'
import { digestsOfCode, newBackupCodes } from './backup-codes.ts'
import { deleteDevice, deleteDevices } from './devices-table.ts'
import type { FactorNeeds } from './factor-needs.ts'
import { deleteFactor, listFactors, updateFactor } from './factors-table.ts'
import { holdState, replaceBackupCodes, writePreferred } from './proofs-tables.ts'

/** What people do with factors they have. Every act is in the trail. */
export function manageFactors({ kernel, keyrings, recordAct }: FactorNeeds) {
  const { db, clock, bus } = kernel

  const act = (
    tx: Tx,
    who: Person,
    facts: RequestFacts,
    what: {
      readonly act: string
      readonly subject: { readonly kind: string; readonly id: string }
      readonly details?: Record<string, string | number | boolean | null>
    },
  ): Promise<void> => recordAct(tx, { ...actorOf(who), ...what, tenant: who.tenant, request: facts })

  return {
    change: (
      who: Person,
      id: string,
      change: { readonly label?: string | undefined; readonly cliCapable?: boolean | undefined },
      facts: RequestFacts,
    ): Promise<void> =>
      db.inTx(async (tx) => {
        if (!(await updateFactor(tx, who.tenant, who.id, id, change))) throw notFound('factor')
        await act(tx, who, facts, {
          act: 'factor.changed',
          subject: { kind: 'factor', id },
          details: { renamed: change.label !== undefined, cli_capable: change.cliCapable ?? null },
        })
      }),

    /** The last one stays while one is required: else the next request would confine its owner. */
    remove: (who: Person, id: string, facts: RequestFacts): Promise<void> =>
      db.inTx(async (tx) => {
        // Held, so that two removals at once cannot each leave the other's.
        await holdState(tx, who.tenant, who.id, randomToken())
        const factors = await listFactors(tx, who.tenant, who.id)
        if (!factors.some((factor) => factor.id === id)) throw notFound('factor')
        const isLast = factors.length === 1
        if (isLast && who.factors.isRequired)
          throw new Problem(problems.conflict, 'Your role needs a second factor. Add another one, then remove this.')
        const removed = await deleteFactor(tx, who.tenant, who.id, id)
        // Browsers were trusted on the word of the factors there were.
        await deleteDevices(tx, who.tenant, who.id)
        if (isLast) {
          await replaceBackupCodes(tx, who.tenant, who.id, [], clock.now())
          await writePreferred(tx, who.tenant, who.id, null)
          await clearProofs(tx, who.tenant, who.id)
        }
        await act(tx, who, facts, {
          act: 'factor.removed',
          subject: { kind: 'factor', id },
          details: { kind: removed?.kind ?? null, was_last: isLast },
        })
        await bus.announce(tx, { topic: 'person.changed', tenant: who.tenant, body: { person_id: who.id } })
      }),

    renewBackupCodes: (who: Person, facts: RequestFacts): Promise<readonly string[]> =>
      db.inTx(async (tx) => {
        if ((await listFactors(tx, who.tenant, who.id)).length === 0)
          throw new Problem(problems.conflict, 'Backup codes stand in for a factor. Add a factor first.')
        const codes = newBackupCodes()
        const digests = codes.flatMap((code) => digestsOfCode(keyrings.keyring, who.tenant, who.id, code).slice(0, 1))
        await replaceBackupCodes(tx, who.tenant, who.id, digests, clock.now())
        await act(tx, who, facts, { act: 'backup_codes.renewed', subject: { kind: 'person', id: who.id } })
        return codes
      }),

    prefer: (who: Person, kind: FactorKind | null, facts: RequestFacts): Promise<void> =>
      db.inTx(async (tx) => {
        const factors = await listFactors(tx, who.tenant, who.id)
        if (kind !== null && !factors.some((factor) => factor.kind === kind))
          throw new Problem(problems.conflict, 'You have no factor of this kind.')
        await holdState(tx, who.tenant, who.id, randomToken())
        await writePreferred(tx, who.tenant, who.id, kind)
        const details = { kind }
        await act(tx, who, facts, { act: 'factor.preferred', subject: { kind: 'person', id: who.id }, details })
      }),

    forgetDevice: (who: Person, id: string, facts: RequestFacts): Promise<void> =>
      db.inTx(async (tx) => {
        if (!(await deleteDevice(tx, who.tenant, who.id, id))) throw notFound('trusted browser')
        await act(tx, who, facts, { act: 'device.forgotten', subject: { kind: 'device', id } })
      }),
  }
}
