-- What agents report. One statement a batch writes the key that finds a second delivery, the event, and what the counts
-- change by; a worker folds those changes into the counts. Whoever counts adds both, so counts are exact at any moment.

create table event_words (
  tenant_id uuid not null references tenants (id),
  id integer generated always as identity,
  word text collate "C" not null check (length(word) <= 500),
  primary key (tenant_id, id),
  unique (tenant_id, word)
);
comment on table event_words is 'Agent ids, tools, environments, actions, modes, rule ids and key prefixes, once each; events and counts hold their numbers';

create sequence event_arrivals as bigint;

create table event_keys (
  tenant_id uuid not null,
  id uuid not null,
  at timestamptz not null,
  received_at timestamptz not null,
  primary key (tenant_id, id)
);
comment on table event_keys is 'One row an event, to tell a second delivery: the id is the time it names and a keyed digest of all of it. Not part of events, since a unique index there would have to contain the time of arrival';

create table events (
  tenant_id uuid not null,
  at timestamptz not null,
  arrival bigint not null,
  received_at timestamptz not null,
  id uuid not null,
  environment integer not null,
  agent integer not null,
  tool integer not null,
  verdict integer not null,
  mode integer not null,
  rule integer not null,
  key_prefix integer not null,
  flags smallint not null,
  call_id text collate "C" not null,
  session_id text collate "C",
  payload text not null,
  primary key (tenant_id, at, arrival, received_at)
) partition by range (received_at);
comment on table events is 'Events as agents reported them, redacted; a claim, not proof. Partitioned by the month of arrival';
comment on column events.at is 'By the agent''s clock; its arrival when that could not be read';
comment on column events.rule is 'Number of the word, 0 when the event names no rule';
comment on column events.payload is 'JSON with sorted keys. Text and not jsonb, which changes numbers and refuses U+0000';

-- Digests, since a call id may be longer than an index entry.
create index events_by_call on events (tenant_id, hashtextextended(call_id, 0));
create index events_by_session on events (tenant_id, hashtextextended(session_id, 0)) where session_id is not null;

create table event_count_changes (
  id bigint generated always as identity primary key,
  tenant_id uuid not null,
  minute timestamptz not null,
  environment integer not null,
  agent integer not null,
  tool integer not null,
  verdict integer not null,
  mode integer not null,
  rule integer not null,
  count integer not null
);
comment on table event_count_changes is 'What event_counts must still be changed by; appended by each batch, so that no two batches wait for one row';

create table event_counts (
  tenant_id uuid not null,
  cube smallint not null,
  level smallint not null,
  bucket timestamptz not null,
  agent integer not null,
  tool integer not null,
  rule integer not null,
  environment integer not null,
  verdict integer not null,
  mode integer not null,
  count bigint not null,
  primary key (tenant_id, cube, level, bucket, agent, tool, rule, environment, verdict, mode)
) with (fillfactor = 80);
comment on table event_counts is 'How many events of each kind in each minute, hour and day, except what waits in event_count_changes';
comment on column event_counts.cube is '0: by environment, verdict and mode alone; 1: and agent; 2: and tool; 3: and rule; 4: and all three. What a cube does not tell apart is -1';
comment on column event_counts.level is '0 minute, 1 hour, 2 day';
create index event_counts_by_agent on event_counts (tenant_id, cube, level, agent, bucket) where agent >= 0;
create index event_counts_by_tool on event_counts (tenant_id, cube, level, tool, bucket) where tool >= 0;
create index event_counts_by_rule on event_counts (tenant_id, cube, level, rule, bucket) where rule >= 0;

-- The role the server runs as can make no tables. These make and drop exactly the partitions of events, by month.
create function make_event_partition(in_month timestamptz) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  first_day timestamp := date_trunc('month', in_month at time zone 'UTC');
  name text := 'events_' || to_char(first_day, 'YYYY_MM');
begin
  if to_regclass(format('public.%I', name)) is not null then
    return false;
  end if;
  -- Replicas that start at once take turns.
  perform pg_advisory_xact_lock(44);
  if to_regclass(format('public.%I', name)) is not null then
    return false;
  end if;
  execute format(
    'create table public.%I partition of public.events for values from (%L) to (%L)',
    name, first_day at time zone 'UTC', (first_day + interval '1 month') at time zone 'UTC'
  );
  return true;
end
$$;

create function drop_event_partition(in_month timestamptz) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  first_day timestamp := date_trunc('month', in_month at time zone 'UTC');
  name text := 'events_' || to_char(first_day, 'YYYY_MM');
begin
  if to_regclass(format('public.%I', name)) is null then
    return false;
  end if;
  -- A reader that takes long must not make every agent wait behind this.
  set local lock_timeout = '2s';
  execute format('drop table public.%I', name);
  return true;
end
$$;

revoke execute on function make_event_partition(timestamptz), drop_event_partition(timestamptz) from public;

create table skill_scans (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  environment text not null,
  agent_id text not null,
  received_at timestamptz not null,
  report text not null,
  primary key (tenant_id, id)
);
comment on table skill_scans is 'What an agent''s scanner found in its skills, as reported, redacted';
