import type { Sql } from '../../kernel/db.ts'
import { isId } from '../../kernel/ids.ts'
import { type Approval, type Asked, asOf, type Policy, type SettledStatus, type Settlement } from './approval.ts'

type Row = Omit<Asked, 'policy'> &
  Policy & {
    readonly status: 'pending' | SettledStatus
    readonly settledAt: Date | null
    readonly settledByKind: Settlement['by']['kind'] | null
    readonly settledById: string | null
    readonly settledByLabel: string | null
    readonly settledVia: Settlement['via'] | null
    readonly settledAddress: string | null
    readonly settledUserAgent: string | null
    readonly claimedBy: string | null
    readonly byOwner: boolean
    readonly reason: string | null
    readonly lastPolledAt: Date | null
    readonly keyLabel: string | null
  }

const columns = `
  a.tenant_id as tenant, a.id, a.environment, a.agent_id as "agentId", a.key_id as "keyId", a.key_prefix as "keyPrefix",
  a.session_id as "sessionId", a.tool, a.args, a.args_is_redacted as "argsIsRedacted", a.args_is_escaped as "argsIsEscaped",
  a.args_seal as "argsSeal", a.message, a.timeout_seconds as "timeoutSeconds", a.deadline, a.on_timeout as "onTimeout",
  a.revision, a.claimed_rule as "claimedRule", a.claimed_source as "claimedSource", a.digest, a.created_at as "createdAt",
  a.status, a.settled_at as "settledAt", a.settled_by_kind as "settledByKind", a.settled_by_id as "settledById",
  a.settled_by_label as "settledByLabel", a.settled_via as "settledVia", a.settled_address as "settledAddress",
  a.proof, a.approvers, a.excludes_owner as "excludesOwner",
  a.settled_user_agent as "settledUserAgent", a.claimed_by as "claimedBy", a.settled_by_owner as "byOwner", a.reason, a.last_polled_at as "lastPolledAt",
  (select k.label from agent_keys as k where k.tenant_id = a.tenant_id and k.id = a.key_id) as "keyLabel"`

function fromRow(row: Row): Approval {
  const { status, settledAt, settledByKind, settledById, settledByLabel, settledVia, settledAddress } = row
  const { settledUserAgent, claimedBy, byOwner, reason, proof, approvers, excludesOwner, ...asked } = row
  const settlement =
    status === 'pending' || settledAt === null || settledByKind === null || settledVia === null
      ? null
      : {
          status,
          at: settledAt,
          by: { kind: settledByKind, id: settledById ?? '', label: settledByLabel ?? '' },
          via: settledVia,
          reason,
          address: settledAddress,
          userAgent: settledUserAgent,
          claimedBy,
          byOwner,
        }
  return { ...asked, policy: { proof, approvers, excludesOwner }, settlement }
}

export async function insertApproval(tx: Sql, asked: Asked): Promise<void> {
  await tx.query(
    `insert into approvals (tenant_id, id, environment, agent_id, key_id, key_prefix, session_id, tool, args,
       args_is_redacted, args_is_escaped, args_seal, message, timeout_seconds, deadline, on_timeout, revision,
       claimed_rule, claimed_source, digest, created_at, proof, approvers, excludes_owner)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)`,
    [
      asked.tenant,
      asked.id,
      asked.environment,
      asked.agentId,
      asked.keyId,
      asked.keyPrefix,
      asked.sessionId,
      asked.tool,
      asked.args,
      asked.argsIsRedacted,
      asked.argsIsEscaped,
      asked.argsSeal,
      asked.message,
      asked.timeoutSeconds,
      asked.deadline,
      asked.onTimeout,
      asked.revision,
      asked.claimedRule,
      asked.claimedSource,
      asked.digest,
      asked.createdAt,
      asked.policy.proof,
      asked.policy.approvers,
      asked.policy.excludesOwner,
    ],
  )
}

/** Whose eyes look: a key sees its own environment and nothing else. */
export type Sight = { readonly tenant: string; readonly environment?: string | undefined }

export async function findApproval(db: Sql, { tenant, environment }: Sight, id: string): Promise<Approval | undefined> {
  if (!isId(id)) return undefined
  const [row] = await db.query<Row>(
    `select ${columns} from approvals as a
      where a.tenant_id = $1 and a.id = $2 and ($3::text is null or a.environment = $3)`,
    [tenant, id, environment ?? null],
  )
  return row && fromRow(row)
}

/** Says that the answer is awaited. Written at most every few seconds, however often the agent asks. */
export async function notePoll(db: Sql, tenant: string, id: string, now: Date): Promise<void> {
  await db.query(
    `update approvals as a set last_polled_at = $3
      where a.tenant_id = $1 and a.id = $2 and (a.last_polled_at is null or a.last_polled_at < $3::timestamptz - interval '5 s')`,
    [tenant, id, now],
  )
}

/**
 * Settles a pending approval before its deadline, or answers nothing: the state and the deadline are in the condition,
 * so of any number who try at once one wins. A key never settles what it asked for itself.
 */
export async function settlePending(
  tx: Sql,
  { tenant, environment }: Sight,
  id: string,
  { status, at, by, via, reason, address, userAgent, claimedBy, byOwner }: Settlement,
): Promise<Approval | undefined> {
  const [row] = await tx.query<Row>(
    `update approvals as a
        set status = $4, settled_at = $5, settled_by_kind = $6, settled_by_id = $7, settled_by_label = $8, settled_via = $9,
            reason = $10, settled_address = $11, settled_user_agent = $12, claimed_by = $13, settled_by_owner = $14
      where a.tenant_id = $1 and a.id = $2 and ($3::text is null or a.environment = $3)
        and a.status = 'pending' and a.deadline > $5 and not ($6 = 'agent_key' and a.key_id::text = $7)
      returning ${columns}`,
    [
      tenant,
      id,
      environment ?? null,
      status,
      at,
      by.kind,
      by.id,
      by.label,
      via,
      reason,
      address,
      userAgent,
      claimedBy,
      byOwner,
    ],
  )
  return row && fromRow(row)
}

/** A sweep over all tenants, a batch at a time. Two replicas that sweep at once share the work and never wait. */
export async function expirePending(tx: Sql, now: Date, max: number): Promise<readonly Approval[]> {
  const rows = await tx.query<Row>(
    `with due as (
       select d.tenant_id, d.id from approvals as d
        where d.status = 'pending' and d.deadline <= $1
        order by d.deadline limit $2 for update skip locked
     )
     update approvals as a
        set status = 'timed_out', settled_at = a.deadline, settled_by_kind = 'system', settled_by_id = 'system',
            settled_by_label = 'system', settled_via = 'system'
       from due
      where a.tenant_id = due.tenant_id and a.id = due.id
      returning ${columns}`,
    [now, max],
  )
  return rows.map(fromRow)
}

/** A sweep: those whose key was revoked. What it asked for must not run under an authority that is gone. */
export async function cancelOfRevokedKeys(
  tx: Sql,
  now: Date,
  reason: string,
  max: number,
): Promise<readonly Approval[]> {
  const rows = await tx.query<Row>(
    `with due as (
       select d.tenant_id, d.id from approvals as d
         join agent_keys as k on k.tenant_id = d.tenant_id and k.id = d.key_id
        where d.status = 'pending' and d.deadline > $1 and k.revoked_at is not null
        limit $3 for update of d skip locked
     )
     update approvals as a
        set status = 'cancelled', settled_at = $1, settled_by_kind = 'system', settled_by_id = 'system',
            settled_by_label = 'system', settled_via = 'system', reason = $2
       from due
      where a.tenant_id = due.tenant_id and a.id = due.id
      returning ${columns}`,
    [now, reason, max],
  )
  return rows.map(fromRow)
}

export type ApprovalFilter = {
  /** `refused`: denied or cancelled, which agents are told alike. */
  readonly status?: 'pending' | 'settled' | 'refused' | SettledStatus | undefined
  readonly environment?: string | undefined
  readonly agent?: string | undefined
  readonly tool?: string | undefined
  readonly session?: string | undefined
  readonly since?: Date | undefined
  readonly until?: Date | undefined
  readonly text?: string | undefined
}

/** $2 is now: a pending one past its deadline counts as timed out although nobody has written that down yet. */
const matching = `
  a.tenant_id = $1
  and case $3::text
        when 'pending' then a.status = 'pending' and a.deadline > $2
        when 'settled' then not (a.status = 'pending' and a.deadline > $2)
        when 'refused' then a.status in ('denied', 'cancelled')
        when 'timed_out' then a.status = 'timed_out' or (a.status = 'pending' and a.deadline <= $2)
        else $3::text is null or a.status = $3
      end
  and ($4::text is null or a.environment = $4)
  and ($5::text is null or a.agent_id = $5)
  and ($6::text is null or a.tool = $6)
  and ($7::text is null or a.session_id = $7)
  and ($8::timestamptz is null or a.created_at >= $8)
  and ($9::timestamptz is null or a.created_at < $9)
  and ($10::text is null or a.tool ilike $10 or a.agent_id ilike $10 or a.message ilike $10 or a.args ilike $10
       or a.id::text like $10)`

function valuesOf(tenant: string, filter: ApprovalFilter, now: Date): unknown[] {
  const pattern = filter.text === undefined ? null : `%${filter.text.replace(/[\\%_]/g, '\\$&')}%`
  const { status, environment, agent, tool, session, since, until } = filter
  return [tenant, now, status, environment, agent, tool, session, since, until, pattern].map((value) => value ?? null)
}

export type Place = { readonly deadline: Date; readonly id: string }

export type Page = {
  readonly order: 'newest' | 'deadline'
  readonly after?: Place | undefined
  readonly offset?: number | undefined
  readonly limit: number
}

/** Newest first, or those whose deadline is soonest, which only pending ones have before them. */
export async function listApprovals(
  db: Sql,
  tenant: string,
  filter: ApprovalFilter,
  now: Date,
  { order, after, offset = 0, limit }: Page,
): Promise<readonly Approval[]> {
  const isByDeadline = order === 'deadline'
  const rows = await db.query<Row>(
    `select ${columns} from approvals as a
      where ${matching}
        and ($11::timestamptz is null or ${isByDeadline ? '(a.deadline, a.id) > ($11, $12::uuid)' : 'a.id < $12::uuid'})
        ${isByDeadline ? `and a.status = 'pending'` : ''}
      order by ${isByDeadline ? 'a.deadline, a.id' : 'a.id desc'}
      limit $13 offset $14`,
    [...valuesOf(tenant, filter, now), after?.deadline ?? null, after?.id ?? null, limit, offset],
  )
  return rows.map(fromRow)
}

export async function countApprovals(db: Sql, tenant: string, filter: ApprovalFilter, now: Date): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `select count(*) as count from approvals as a where ${matching}`,
    valuesOf(tenant, filter, now),
  )
  return row?.count ?? 0
}

export async function countPending(
  db: Sql,
  tenant: string,
  environment: string | undefined,
  now: Date,
): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `select count(*) as count from approvals as a
      where a.tenant_id = $1 and a.status = 'pending' and a.deadline > $2 and ($3::text is null or a.environment = $3)`,
    [tenant, now, environment ?? null],
  )
  return row?.count ?? 0
}

/** Held calls of all tenants that wait for a human, and since when the oldest of them does. */
export async function findWaiting(
  db: Sql,
  now: Date,
): Promise<{ readonly count: number; readonly since: Date | null }> {
  const [row] = await db.query<{ count: number; since: Date | null }>(
    `select count(*) as count, min(a.created_at) as since from approvals as a
      where a.status = 'pending' and a.deadline > $1`,
    [now],
  )
  return row ?? { count: 0, since: null }
}

/** How many of the latest calls of one tool are looked at to tell how such calls were decided. */
const similarMax = 500

export type Similar = {
  readonly counts: Readonly<Record<SettledStatus, number>>
  readonly items: readonly { readonly approval: Approval; readonly hasSameArgs: boolean }[]
}

/** Settled ones of the same tool in the same environment, those with equal arguments first, then the newest. */
export async function findSimilar(
  db: Sql,
  { tenant, id, environment, tool, argsSeal }: Asked,
  now: Date,
  max: number,
): Promise<Similar> {
  const latest = `
    with latest as (
      select s.tenant_id, s.id, case s.status when 'pending' then 'timed_out' else s.status end as status
        from approvals as s
       where s.tenant_id = $1 and s.environment = $2 and s.tool = $3 and s.id <> $4
         and not (s.status = 'pending' and s.deadline > $5)
       order by s.id desc limit ${similarMax}
    )`
  const values = [tenant, environment, tool, id, now]
  const counted = await db.query<{ status: SettledStatus; count: number }>(
    `${latest} select l.status, count(*) as count from latest as l group by l.status`,
    values,
  )
  const rows = await db.query<Row>(
    `${latest} select ${columns} from latest as l join approvals as a on a.tenant_id = l.tenant_id and a.id = l.id
      order by (a.args_seal = $6) desc, a.id desc limit $7`,
    [...values, argsSeal, max],
  )
  const none = { approved: 0, denied: 0, timed_out: 0, cancelled: 0 }
  return {
    counts: { ...none, ...Object.fromEntries(counted.map(({ status, count }) => [status, count])) },
    items: rows.map((row) => ({ approval: asOf(fromRow(row), now), hasSameArgs: row.argsSeal === argsSeal })),
  }
}

/** Others that one agent asked for with the same tool and arguments while this one was open. */
export async function countTwins(db: Sql, approval: Approval): Promise<number> {
  const { tenant, id, environment, agentId, tool, argsSeal, createdAt, deadline, settlement } = approval
  const [row] = await db.query<{ count: number }>(
    `select count(*) as count from approvals as a
      where a.tenant_id = $1 and a.environment = $2 and a.agent_id = $3 and a.tool = $4 and a.args_seal = $5 and a.id <> $6
        and a.last_polled_at is not null and a.created_at < $8 and coalesce(a.settled_at, a.deadline) > $7`,
    [tenant, environment, agentId, tool, argsSeal, id, createdAt, settlement?.at ?? deadline],
  )
  return row?.count ?? 0
}
