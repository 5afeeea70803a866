-- Making a month must wait for nobody, and let nobody wait: "create table … partition of" locks the events against
-- everything, so that behind one long read each agent would wait. Attaching a finished table does not.

create or replace function make_event_partition(in_month timestamptz) returns boolean
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
  execute format('create table public.%I (like public.events including all)', name);
  execute format(
    'alter table public.events attach partition public.%I for values from (%L) to (%L)',
    name, first_day at time zone 'UTC', (first_day + interval '1 month') at time zone 'UTC'
  );
  return true;
end
$$;

-- Dropping one does lock them all, so it asks briefly, gives up, and is tried again.
create or replace function drop_event_partition(in_month timestamptz) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  first_day timestamp := date_trunc('month', in_month at time zone 'UTC');
  name text := 'events_' || to_char(first_day, 'YYYY_MM');
begin
  if to_regclass(format('public.%I', name)) is null then
    return false;
  end if;
  set local lock_timeout = '500ms';
  execute format('drop table public.%I', name);
  return true;
end
$$;
