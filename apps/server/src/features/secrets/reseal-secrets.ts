import { CannotUnseal, type Keyring } from '../../kernel/crypto.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { type Act, findOnlyTenant, type RecordAct } from '../trail/index.ts'
import { type SealedColumn, sealedColumns } from './sealed-columns.ts'
import { countSealed, holdSealed, ownsTables, type Resealed, type SealedRow, writeResealed } from './secrets-table.ts'

type Needs = {
  readonly db: Db
  readonly sealing: Pick<Keyring, 'keyId' | 'keyIds' | 'seal' | 'unseal'>
  readonly recordAct: RecordAct
  /** Rows a transaction. */
  readonly batchRows?: number
}

/** A row that stays as it is, and why. */
export type LeftRow = { readonly column: string; readonly key: readonly string[]; readonly why: string }

export type Resealing = {
  /** By `table.column`; those with nothing to do are not among them. */
  readonly resealed: Readonly<Record<string, number>>
  /** How many listed keys could not open. */
  readonly leftCount: number
  /** The first of them. */
  readonly left: readonly LeftRow[]
}

export type Progress = { readonly column: string; readonly done: number; readonly of: number }

const namedMax = 20

/**
 * Opens everything that is sealed under an older key and seals it under the current one, batch by batch, each in a
 * transaction of its own: cut off anywhere, every row opens under the one key or the other, and the next run goes on.
 * No route leads here: it is for whoever is at the server's machine with all its keys, and is the tables' owner.
 */
export function resealSecrets({ db, sealing, recordAct, batchRows = 500 }: Needs) {
  const older = sealing.keyIds.filter((id) => id !== sealing.keyId)

  return async (machineUser: string, onProgress: (progress: Progress) => void): Promise<Resealing> => {
    const toDo = await countToDo(db, older)
    if (toDo.length === 0) return { resealed: {}, leftCount: 0, left: [] }
    if (!(await ownsTables(db))) {
      throw new Problem(
        problems.forbidden,
        'Only the owner of the tables may seal anew. Give its address as COUNTERSIGN_MIGRATE_DATABASE_URL, or with --database.',
      )
    }
    const act = actOf(sealing.keyId, older, machineUser)
    await db.inTx(async (tx) => {
      const counts = Object.fromEntries(toDo.map(({ column, rows }) => [nameOf(column), rows]))
      await recordAct(tx, { ...act, ...(await ofTenant(tx)), outcome: 'intended', details: { ...act.details, counts } })
    })
    const resealed: Record<string, number> = {}
    const left: LeftRow[] = []
    let leftCount = 0
    for (const { column, rows } of toDo) {
      const name = nameOf(column)
      resealed[name] = 0
      let after: readonly string[] | undefined
      do {
        const batch = await db.inTx((tx) => resealBatch(tx, sealing, column, { keyIds: older, after, max: batchRows }))
        resealed[name] += batch.written
        leftCount += batch.left.length
        left.push(...batch.left.slice(0, Math.max(0, namedMax - left.length)))
        after = batch.last
        if (after) onProgress({ column: name, done: resealed[name], of: rows })
      } while (after)
    }
    await db.inTx(async (tx) => {
      const details = { ...act.details, counts: resealed, left: leftCount }
      await recordAct(tx, { ...act, ...(await ofTenant(tx)), outcome: 'done', details })
    })
    return { resealed, leftCount, left }
  }
}

export const nameOf = ({ table, column }: Pick<SealedColumn, 'table' | 'column'>): string => `${table}.${column}`

async function countToDo(db: Db, keyIds: readonly string[]) {
  const found = []
  for (const column of sealedColumns) {
    const counts = (await countSealed(db, column)).filter(({ keyId }) => keyIds.includes(keyId))
    const rows = counts.reduce((sum, count) => sum + count.rows, 0)
    if (rows > 0) found.push({ column, rows })
  }
  return found
}

type Batch = {
  readonly written: number
  readonly left: readonly LeftRow[]
  readonly last: readonly string[] | undefined
}

async function resealBatch(
  tx: Tx,
  sealing: Needs['sealing'],
  column: SealedColumn,
  from: Parameters<typeof holdSealed>[2],
): Promise<Batch> {
  const rows = await holdSealed(tx, column, from)
  const done: Resealed[] = []
  const left: LeftRow[] = []
  for (const row of rows) {
    const outcome = reseal(sealing, column, row)
    if ('why' in outcome) left.push({ column: nameOf(column), key: row.key, why: outcome.why })
    else done.push({ key: row.key, box: row.box, resealed: outcome.box })
  }
  const written = done.length === 0 ? 0 : await writeResealed(tx, column, done)
  // They are held, so nobody else can have changed them.
  if (written !== done.length) throw new Error(`Of ${done.length} rows of ${nameOf(column)} ${written} were written.`)
  return { written, left, last: rows.at(-1)?.key }
}

function reseal(
  sealing: Needs['sealing'],
  { purpose, rowOf, proof }: SealedColumn,
  { key, box, told }: SealedRow,
): { readonly box: string } | { readonly why: string } {
  const row = rowOf(key)
  try {
    const opened = sealing.unseal(purpose, row, box)
    // What was tampered with must not come out of here looking as good as new.
    if (proof && !proof.fits(opened, told ?? '')) return { why: 'What is sealed is not what the row tells of' }
    const fresh = sealing.seal(purpose, row, opened)
    opened.fill(0)
    return { box: fresh }
  } catch (cause) {
    if (!(cause instanceof CannotUnseal)) throw cause
    return { why: cause.message }
  }
}

function actOf(to: string, from: readonly string[], machineUser: string): Omit<Act, 'tenant'> {
  return {
    act: 'secrets.resealed',
    actor: { kind: 'system', id: 'command_line', credential: 'server_machine' },
    subject: { kind: 'secret', id: 'COUNTERSIGN_SEAL_KEY' },
    details: { from: [...from], to },
    personal: { actor: { machine_user: machineUser } },
  }
}

/** With several tenants it belongs to none of them but to the installation. */
const ofTenant = async (tx: Tx): Promise<Pick<Act, 'tenant'>> => ({ tenant: await findOnlyTenant(tx) })
