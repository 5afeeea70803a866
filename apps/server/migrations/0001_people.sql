-- Who there is, what they hold, and how replicas tell each other.

create table tenants (
  id uuid primary key,
  name text not null,
  made_at timestamptz not null
);
comment on table tenants is 'Isolation units: every other table begins its keys with one';

create table people (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  email text not null,
  email_folded text not null generated always as (lower(email)) stored,
  name text not null,
  role text not null,
  password_hash text,
  suspended_at timestamptz,
  made_at timestamptz not null,
  primary key (tenant_id, id)
);
comment on table people is 'Human principals. An address belongs to one person in the whole installation';
create unique index people_by_email on people (email_folded);

create table sessions (
  tenant_id uuid not null,
  id uuid not null,
  person_id uuid not null,
  token_digest text not null unique,
  made_at timestamptz not null,
  last_seen_at timestamptz not null,
  expires_at timestamptz not null,
  address text not null,
  agent text not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, person_id) references people (tenant_id, id) on delete cascade
);
comment on table sessions is 'Signed-in browsers. The token itself is only in the cookie';
comment on column sessions.expires_at is 'Absolute end; the idle end is counted from last_seen_at';
create index sessions_by_person on sessions (tenant_id, person_id);

create table environments (
  tenant_id uuid not null references tenants (id),
  name text not null check (name ~ '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$'),
  color text not null,
  position integer not null,
  is_protected boolean not null,
  made_at timestamptz not null,
  primary key (tenant_id, name)
);
comment on table environments is 'Labels that separate keys, rollouts, agents and events';

create table agent_keys (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  environment text not null,
  label text not null,
  prefix text not null,
  digest text not null unique,
  rendering text not null default 'auto' check (rendering in ('auto', 'contract_bundle', 'ruleset')),
  signing_key_id uuid,
  made_by uuid not null,
  made_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz,
  revoked_by uuid,
  primary key (tenant_id, id),
  foreign key (tenant_id, environment) references environments (tenant_id, name)
);
comment on table agent_keys is 'Credentials of agents, each for one environment; only a keyed digest is kept';
comment on column agent_keys.signing_key_id is 'The signing key whose signatures this key is served, as its agents pinned it';
create index agent_keys_by_environment on agent_keys (tenant_id, environment);

create table settings (
  tenant_id uuid not null references tenants (id),
  name text not null,
  value jsonb not null,
  changed_by uuid not null,
  changed_at timestamptz not null,
  primary key (tenant_id, name)
);
comment on table settings is 'Settings a person changed at run time; absent means the environment''s or the default';

create table limits (
  scope text not null,
  subject text not null,
  window_start timestamptz not null,
  count integer not null,
  primary key (scope, subject, window_start)
);
comment on table limits is 'Counters of limits that must hold across replicas and restarts, one row a window';

create table secret_fingerprints (
  name text primary key,
  fingerprint text not null,
  seen_at timestamptz not null
);
comment on table secret_fingerprints is 'Which secrets this database was used with, so that a process with another one is refused';

create table outbox (
  id bigint generated always as identity primary key,
  txid xid8 not null default pg_current_xact_id(),
  topic text not null,
  tenant_id uuid,
  at timestamptz not null,
  body jsonb not null
);
comment on table outbox is 'What replicas, agents and consoles are told after a commit; kept for an hour so that a stream can be resumed';
create index outbox_by_txid on outbox (txid);
create index outbox_by_tenant on outbox (tenant_id, id);

create table replicas (
  id uuid primary key,
  started_at timestamptz not null,
  seen_at timestamptz not null
);
comment on table replicas is 'Server processes that are alive; what belongs to one not seen for 15 s is cleared';
