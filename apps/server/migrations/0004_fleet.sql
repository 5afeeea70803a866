-- The agents: who they are, what they were seen to run, and which streams they have open on which replica.

create table agents (
  tenant_id uuid not null references tenants (id),
  environment text not null,
  agent_id text not null,
  id uuid not null,
  display_name text,
  tags jsonb not null default '{}',
  reported_tags jsonb not null default '{}',
  client text,
  dialect text check (dialect in ('ruleset', 'contract_bundle')),
  asked_ruleset text,
  fetched_ruleset text,
  ruleset text,
  ruleset_source text not null default 'none' check (ruleset_source in ('explicit', 'rule', 'agent_provided', 'none')),
  rule_id uuid,
  event_hash text,
  event_at timestamptz,
  stream_hash text,
  stream_at timestamptz,
  fetch_hash text,
  fetch_at timestamptz,
  running_hash text,
  running_source text check (running_source in ('event', 'stream', 'fetch')),
  running_at timestamptz,
  manifest jsonb,
  manifest_at timestamptz,
  online_since timestamptz,
  left_at timestamptz,
  is_told_silent boolean not null default false,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  last_event_at timestamptz,
  primary key (tenant_id, environment, agent_id)
);
comment on table agents is 'Agents as they were seen, one row for each environment an agent id appears in';
comment on column agents.id is 'The number plate older clients know a registration by; one agent id has another in each environment';
comment on column agents.tags is 'Given by operators; reported_tags are what the agent says of itself when it connects';
comment on column agents.asked_ruleset is 'The ruleset its last stream named; fetched_ruleset is the one it last fetched over /v1';
comment on column agents.ruleset is 'What is meant for it, as last resolved';
comment on column agents.stream_at is 'When the revision it reports on connecting last changed: a claim it repeats is no newer evidence. Likewise fetch_at';
comment on column agents.online_since is 'Since when it has had a stream, short breaks not counted; null when it has none';
create index agents_by_agent_id on agents (tenant_id, agent_id);
create index agents_online on agents (tenant_id) where online_since is not null;
create index agents_by_last_seen on agents (last_seen_at) where not is_told_silent;

create table agent_streams (
  tenant_id uuid not null,
  id uuid not null,
  replica_id uuid not null references replicas (id) on delete cascade,
  environment text not null,
  agent_id text not null,
  key_id uuid not null,
  client text not null,
  address text not null,
  connected_at timestamptz not null,
  primary key (tenant_id, id)
);
comment on table agent_streams is 'Streams open at this moment, on whichever replica; those of a replica that is gone go with its row';
create index agent_streams_by_agent on agent_streams (tenant_id, environment, agent_id);
create index agent_streams_by_replica on agent_streams (replica_id);
create index agent_streams_by_key on agent_streams (tenant_id, key_id);

create table agent_fetches (
  tenant_id uuid not null,
  key_id uuid not null,
  agent_id text not null,
  ruleset text not null,
  version integer not null,
  fetched_at timestamptz not null,
  primary key (tenant_id, key_id, agent_id)
);
comment on table agent_fetches is 'The ruleset each agent last fetched over /v1 by each key: how an update is told to clients that name nothing on their stream';

create table agent_history (
  tenant_id uuid not null,
  environment text not null,
  agent_id text not null,
  number bigint generated always as identity,
  at timestamptz not null,
  kind text not null check (kind in ('first_seen', 'connected', 'disconnected', 'revision', 'assignment', 'silent')),
  facts jsonb not null,
  primary key (tenant_id, environment, agent_id, number)
);
comment on table agent_history is 'The timeline of an agent: connections, revisions it was seen to run, assignments. Pruned by age';
create index agent_history_by_time on agent_history using brin (at);
