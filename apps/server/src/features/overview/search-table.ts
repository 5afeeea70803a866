import type { SearchKind } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'

export type Hit = { readonly kind: SearchKind; readonly id: string; readonly label: string; readonly hint: string }

const each = 5

/** Names that begin with the text come before those that only contain it. */
const byNearness = (name: string): string => `starts_with(lower(${name}), lower($3)) desc, length(${name}), ${name}`

export type Look = (sql: Sql, tenant: string, pattern: string, q: string) => Promise<Hit[]>

export const findAgents: Look = (sql, tenant, pattern, q) =>
  sql.query<Hit>(
    `select 'agent' as kind, a.agent_id as id, coalesce(max(a.display_name), a.agent_id) as label,
            string_agg(a.environment, ', ' order by a.environment) as hint
       from agents as a where a.tenant_id = $1 and (a.agent_id ilike $2 or a.display_name ilike $2)
      group by a.agent_id order by ${byNearness('a.agent_id')} limit ${each}`,
    [tenant, pattern, q],
  )

export const findRulesets: Look = (sql, tenant, pattern, q) =>
  sql.query<Hit>(
    `select 'ruleset' as kind, r.name as id, r.name as label, 'Ruleset' as hint from rulesets as r
      where r.tenant_id = $1 and r.name ilike $2 order by ${byNearness('r.name')} limit ${each}`,
    [tenant, pattern, q],
  )

export const findEnvironments: Look = (sql, tenant, pattern, q) =>
  sql.query<Hit>(
    `select 'environment' as kind, e.name as id, e.name as label, 'Environment' as hint from environments as e
      where e.tenant_id = $1 and e.name ilike $2 order by ${byNearness('e.name')} limit ${each}`,
    [tenant, pattern, q],
  )

export const findApprovals: Look = (sql, tenant, pattern, q) =>
  sql.query<Hit>(
    `select 'approval' as kind, a.id::text as id, a.tool as label,
            concat_ws(' · ', a.agent_id, a.environment, replace(a.status, '_', ' ')) as hint
       from approvals as a
      where a.tenant_id = $1 and (a.id::text = lower($3) or (a.status = 'pending' and (a.tool ilike $2 or a.agent_id ilike $2)))
      order by a.id desc limit ${each}`,
    [tenant, pattern, q],
  )

/** Tools and rules that events have named. */
export const findEventWords: Look = (sql, tenant, pattern, q) =>
  sql.query<Hit>(
    `select k.kind, w.word as id, w.word as label, case k.kind when 'tool' then 'Tool' else 'Rule' end as hint
       from (
         select w.id, w.word from event_words as w where w.tenant_id = $1 and w.word ilike $2
          order by ${byNearness('w.word')} limit 50
       ) as w
      cross join lateral (
        select 'tool' as kind where exists (
          select from event_counts as c where c.tenant_id = $1 and c.cube = 2 and c.level = 2 and c.tool = w.id and c.tool >= 0)
        union all
        select 'rule' where exists (
          select from event_counts as c where c.tenant_id = $1 and c.cube = 3 and c.level = 2 and c.rule = w.id and c.rule >= 0)
      ) as k
      order by ${byNearness('w.word')} limit ${each * 2}`,
    [tenant, pattern, q],
  )

/** An event by its whole id, or a call by its whole id. */
export const findEvents: Look = (sql, tenant, _pattern, q) =>
  sql.query<Hit>(
    `select * from (
       select 'event' as kind, k.id::text as id, k.id::text as label, to_char(k.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') as hint
         from event_keys as k
        where k.tenant_id = $1 and k.id = case when $2 ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then $2::uuid end
     ) as e
     union all
     select * from (
       select 'call' as kind, e.id::text as id, e.call_id as label, to_char(e.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') as hint
         from events as e
        where e.tenant_id = $1 and hashtextextended(e.call_id, 0) = hashtextextended($2::text collate "C", 0) and e.call_id = $2
        order by e.at desc limit 1
     ) as c`,
    [tenant, q],
  )
