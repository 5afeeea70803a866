import type { FactorKind } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import type { Grant } from './grants-table.ts'
import { type PersonRow, type PersonStatus, statusOf } from './people-table.ts'

export type ListedPerson = PersonRow & {
  /** What older clients call them by. */
  readonly wireNo: number
  readonly suspendedReason: string | null
  readonly lockedReason: string | null
  readonly lockedBy: Maker | null
  readonly grants: readonly (Grant & { readonly permissions: readonly string[] | null })[]
  readonly identities: readonly { readonly provider: string; readonly last_used_at: string | null }[]
  readonly lastSignedInAt: Date | null
  readonly madeAt: Date
  readonly madeBy: string | null
  readonly madeByLabel: string | null
  readonly maker: Maker | null
  readonly isEnrolled: boolean
  readonly preferredFactor: FactorKind | null
  readonly factors: readonly {
    readonly kind: FactorKind
    readonly since: string
    readonly last_used_at: string | null
  }[]
  readonly invitationExpiresAt: Date | null
}

/** Somebody as older clients name them; never a token, which has no such number. */
export type Maker = { readonly no: number; readonly email: string; readonly name: string }

export type PeopleFilter = {
  readonly id?: string | undefined
  readonly email?: string | undefined
  readonly status?: PersonStatus | undefined
  readonly role?: string | undefined
  readonly text?: string | undefined
}

/** People of a tenant by address. There are hundreds, not millions: the whole list is one page. */
export async function listPeople(db: Sql, tenant: string, filter: PeopleFilter, now: Date): Promise<ListedPerson[]> {
  const { id, email, status, role, text } = filter
  const maker = (column: string): string =>
    `(select jsonb_build_object('no', c.wire_no, 'email', c.email, 'name', c.name)
       from people as c where c.tenant_id = p.tenant_id and c.id = ${column})`
  const rows = await db.query<ListedPerson>(
    `select p.tenant_id as tenant, p.id, p.wire_no as "wireNo", p.email, p.name, p.password_hash as "passwordHash", p.joined_at as "joinedAt",
            p.suspended_at as "suspendedAt", p.suspended_reason as "suspendedReason", p.locked_at as "lockedAt",
            p.locked_until as "lockedUntil", p.locked_reason as "lockedReason", p.removed_at as "removedAt",
            p.last_signed_in_at as "lastSignedInAt", p.made_at as "madeAt", p.made_by as "madeBy", m.email as "madeByLabel",
            ${maker('p.locked_by')} as "lockedBy", ${maker('p.made_by')} as maker,
            exists (select from factors as f
              where f.tenant_id = p.tenant_id and f.person_id = p.id and f.confirmed_at is not null) as "isEnrolled",
            (select coalesce(jsonb_agg(jsonb_build_object('kind', f.kind, 'since', f.confirmed_at, 'last_used_at', f.last_used_at)
                                       order by f.confirmed_at), '[]')
               from factors as f
              where f.tenant_id = p.tenant_id and f.person_id = p.id and f.confirmed_at is not null) as factors,
            (select s.preferred_kind from factor_states as s
              where s.tenant_id = p.tenant_id and s.person_id = p.id) as "preferredFactor",
            (select l.expires_at from person_links as l
              where l.tenant_id = p.tenant_id and l.person_id = p.id and l.purpose = 'invitation' and l.expires_at > $2) as "invitationExpiresAt",
            (select coalesce(jsonb_agg(jsonb_build_object('role', g.role, 'environment', g.environment, 'rack', g.rack, 'permissions', r.permissions)
                                       order by g.role, g.environment nulls first, g.rack nulls first), '[]')
               from role_grants as g left join roles as r on r.tenant_id = g.tenant_id and r.name = g.role
              where g.tenant_id = p.tenant_id and g.person_id = p.id) as grants,
            (select coalesce(jsonb_agg(jsonb_build_object('provider', i.provider, 'last_used_at', i.last_used_at) order by i.provider), '[]')
               from person_identities as i where i.tenant_id = p.tenant_id and i.person_id = p.id) as identities
       from people as p left join principals as m on m.tenant_id = p.tenant_id and m.id = p.made_by
      where p.tenant_id = $1 and p.removed_at is null and ($3::uuid is null or p.id = $3)
        and ($4::text is null or exists (select from role_grants as h
              where h.tenant_id = p.tenant_id and h.person_id = p.id and h.role = $4))
        and ($5::text is null or strpos(p.email_folded, lower($5)) > 0 or strpos(lower(p.name), lower($5)) > 0)
        and ($6::text is null or p.email_folded = lower($6))
      order by p.email_folded`,
    [tenant, now, id ?? null, role ?? null, text ?? null, email ?? null],
  )
  return status === undefined ? rows : rows.filter((row) => statusOf(row, now) === status)
}
