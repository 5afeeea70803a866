-- Replays: a ruleset tried on recorded calls, in the background. Any replica with workers may run one; when it dies, another
-- takes over from the start.

create table replays (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  number bigint generated always as identity,
  ruleset text not null,
  version integer,
  draft_text text not null,
  draft_hash text not null check (draft_hash ~ '^[0-9a-f]{64}$'),
  baseline_ruleset text,
  baseline_version integer,
  since timestamptz not null,
  until timestamptz not null,
  environment text,
  agents text[] not null,
  tools text[] not null,
  status text not null check (status in ('queued', 'running', 'done', 'cancelled', 'failed')),
  is_cancelling boolean not null default false,
  runner_id uuid,
  lease_until timestamptz,
  attempts smallint not null default 0,
  rows_read bigint not null default 0,
  rows_total bigint,
  distinct_calls bigint not null default 0,
  result jsonb,
  failure text,
  made_by uuid not null,
  made_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, baseline_ruleset, baseline_version) references revisions (tenant_id, ruleset, version),
  check ((status = 'done') = (result is not null)),
  check ((baseline_ruleset is null) = (baseline_version is null))
);
comment on table replays is 'A ruleset tried on recorded calls, and what it would have changed';
comment on column replays.version is 'Null when a draft was replayed; a revision uploaded later is recognized by draft_hash';
comment on column replays.lease_until is 'Whoever runs it says until when it may be believed to be alive';
create unique index replays_by_number on replays (tenant_id, number);
create index replays_by_draft on replays (tenant_id, draft_hash, number);
create index replays_open on replays (number) where status in ('queued', 'running');
