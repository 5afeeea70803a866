-- Rulesets, the keys they are signed with, what is live where, and which agent follows what.

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is insert-only: % is refused.', tg_table_name, lower(tg_op) using errcode = 'restrict_violation';
end
$$;

create table rulesets (
  tenant_id uuid not null references tenants (id),
  name text not null check (name ~ '^[a-z0-9][a-z0-9._-]{0,127}$'),
  latest_version integer not null check (latest_version > 0),
  made_at timestamptz not null,
  primary key (tenant_id, name)
);
comment on table rulesets is 'Names under which revisions are uploaded';
comment on column rulesets.latest_version is 'Counted up by the upload itself, so that racing uploads get numbers of their own';

create table revisions (
  tenant_id uuid not null,
  id uuid not null,
  ruleset text not null,
  version integer not null check (version > 0),
  dialect text not null check (dialect in ('ruleset', 'contract_bundle')),
  ruleset_text text not null check (octet_length(ruleset_text) <= 524288),
  ruleset_hash text not null check (ruleset_hash ~ '^[0-9a-f]{64}$'),
  contract_bundle_text text not null check (octet_length(contract_bundle_text) <= 524288),
  contract_bundle_hash text not null check (contract_bundle_hash ~ '^[0-9a-f]{64}$'),
  source text,
  parents jsonb not null default '[]',
  description text,
  rule_count integer not null,
  note text,
  uploaded_by uuid not null,
  uploaded_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, ruleset, version),
  foreign key (tenant_id, ruleset) references rulesets (tenant_id, name)
);
comment on table revisions is 'Immutable versions of rulesets, in the exact bytes agents are handed in either dialect. Insert-only';
comment on column revisions.dialect is 'The one it was written in; the other rendering was made from it at upload';
comment on column revisions.source is 'As uploaded, when it extends another ruleset and is therefore not what is served';
comment on column revisions.parents is 'The revisions it extends, nearest first: name, version, hash';
create index revisions_by_ruleset_hash on revisions (tenant_id, ruleset_hash);
create index revisions_by_contract_bundle_hash on revisions (tenant_id, contract_bundle_hash);
create trigger revisions_insert_only before update or delete or truncate on revisions
  for each statement execute function refuse_change();
alter table revisions enable always trigger revisions_insert_only;

create table signing_keys (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  public_key text not null check (public_key ~ '^[0-9a-f]{64}$'),
  sealed_seed text not null,
  is_current boolean not null,
  made_by uuid,
  made_at timestamptz not null,
  retired_by uuid,
  retired_at timestamptz,
  primary key (tenant_id, id),
  check (not (is_current and retired_at is not null))
);
comment on table signing_keys is 'Ed25519 keys. Every one not retired signs every rollout; a new agent key remembers the current one';
create unique index signing_keys_one_current on signing_keys (tenant_id) where is_current;

-- A key that was given away, or another tenant's, cannot be what agents are told to verify with.
alter table agent_keys add foreign key (tenant_id, signing_key_id) references signing_keys (tenant_id, id);

create table rollouts (
  tenant_id uuid not null,
  id uuid not null,
  number bigint generated always as identity,
  environment text not null,
  ruleset text not null,
  revision_id uuid not null,
  version integer not null,
  kind text not null check (kind in ('rollout', 'promotion', 'rollback')),
  note text,
  previous_id uuid,
  previous_version integer,
  made_by uuid not null,
  made_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, ruleset, version) references revisions (tenant_id, ruleset, version),
  foreign key (tenant_id, revision_id) references revisions (tenant_id, id)
);
comment on table rollouts is 'Every time a revision was made live in an environment. Insert-only';
comment on column rollouts.number is 'Sorts them: two may be made in one millisecond';
create unique index rollouts_by_number on rollouts (tenant_id, number);
create index rollouts_by_place on rollouts (tenant_id, ruleset, environment, number);
create trigger rollouts_insert_only before update or delete or truncate on rollouts
  for each statement execute function refuse_change();
alter table rollouts enable always trigger rollouts_insert_only;

create table rollout_signatures (
  tenant_id uuid not null,
  rollout_id uuid not null,
  signing_key_id uuid not null,
  rendering text not null check (rendering in ('ruleset', 'contract_bundle')),
  signature bytea not null check (octet_length(signature) = 64),
  signed_at timestamptz not null,
  primary key (tenant_id, rollout_id, signing_key_id, rendering),
  foreign key (tenant_id, rollout_id) references rollouts (tenant_id, id),
  foreign key (tenant_id, signing_key_id) references signing_keys (tenant_id, id)
);
comment on table rollout_signatures is 'Both renderings of a rollout, signed by each key that was not retired. Insert-only';
create trigger rollout_signatures_insert_only before update or delete or truncate on rollout_signatures
  for each statement execute function refuse_change();
alter table rollout_signatures enable always trigger rollout_signatures_insert_only;

create table current_rollouts (
  tenant_id uuid not null,
  environment text not null,
  ruleset text not null,
  rollout_id uuid not null,
  primary key (tenant_id, environment, ruleset),
  foreign key (tenant_id, rollout_id) references rollouts (tenant_id, id),
  foreign key (tenant_id, environment) references environments (tenant_id, name)
);
comment on table current_rollouts is 'What is live. Its row is locked while a rollout is made, so that the last commit is the current one on every replica';

create table rollout_agents (
  tenant_id uuid not null,
  rollout_id uuid not null,
  agent_id text not null,
  sent_at timestamptz,
  fetched_at timestamptz,
  running_at timestamptz,
  primary key (tenant_id, rollout_id, agent_id),
  foreign key (tenant_id, rollout_id) references rollouts (tenant_id, id)
);
comment on table rollout_agents is 'How far each agent came with a rollout, as far as was seen: pushed to it, fetched by it, its hash reported by it';

create table assignment_rules (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  priority integer not null check (priority >= 0),
  pattern text not null,
  tag_match jsonb,
  environment text not null,
  ruleset text not null,
  made_by uuid not null,
  made_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, environment) references environments (tenant_id, name),
  constraint assignment_rules_by_priority unique (tenant_id, priority) deferrable initially immediate
);
comment on table assignment_rules is 'Which agents follow which ruleset, by pattern and tags; the lowest priority number that matches wins';

create table agent_assignments (
  tenant_id uuid not null references tenants (id),
  environment text not null,
  agent_id text not null,
  ruleset text not null,
  made_by uuid not null,
  made_at timestamptz not null,
  primary key (tenant_id, environment, agent_id),
  foreign key (tenant_id, environment) references environments (tenant_id, name)
);
comment on table agent_assignments is 'Agents that were given their ruleset by name, which wins over every rule';
