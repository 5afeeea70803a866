-- What leaves the trail after its time, and what stays of it: the leaf hashes, so that every root, proof and checkpoint
-- can still be recomputed, and a signed stub that says what is where.

create table trail_removals (
  id uuid primary key,
  first_number bigint not null check (first_number >= 0 and first_number % 256 = 0),
  beyond bigint not null check (beyond > first_number and beyond % 256 = 0),
  oldest_at timestamptz not null,
  newest_at timestamptz not null check (newest_at >= oldest_at),
  retention_days integer not null check (retention_days >= 1),
  bucket text not null,
  chain_id text not null,
  key text not null,
  planned_at timestamptz not null,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null,
  last_error text,
  archived_at timestamptz,
  sha256 bytea check (octet_length(sha256) = 32),
  bytes bigint check (bytes > 0),
  locked_until timestamptz,
  removed_at timestamptz,
  stub_id uuid,
  stub jsonb,
  removed_in xid8,
  exclude using gist (int8range(first_number, beyond) with &&),
  check ((archived_at is null) = (sha256 is null) and (archived_at is null) = (bytes is null) and (archived_at is null) = (locked_until is null)),
  check ((removed_at is null) = (stub_id is null) and (removed_at is null) = (stub is null)),
  check (removed_at is null or archived_at is not null)
);
comment on table trail_removals is 'Spans of expired entries: planned, then archived in the store and read back, then removed. Half open, whole tiles';
comment on column trail_removals.sha256 is 'Of the archive as it was read back';
comment on column trail_removals.removed_in is 'The transaction that removes, while it does; what lets rows of the span be deleted';

create table trail_removed_tiles (
  index bigint primary key check (index >= 0),
  removal_id uuid not null references trail_removals,
  leaves bytea not null check (octet_length(leaves) = 8192)
);
comment on table trail_removed_tiles is 'The 256 leaf hashes of each tile whose entries were removed';
alter table trail_removed_tiles alter column leaves set storage external;

create table trail_holds (
  tenant_id uuid not null,
  id uuid not null unique,
  reason text not null check (reason <> ''),
  held_from timestamptz,
  held_until timestamptz,
  placed_by uuid not null,
  placed_at timestamptz not null,
  lifted_by uuid,
  lifted_at timestamptz,
  primary key (tenant_id, id),
  check (held_from is null or held_until is null or held_from < held_until),
  check ((lifted_at is null) = (lifted_by is null))
);
comment on table trail_holds is 'Legal holds: entries of their time are not removed, whatever their age, until somebody lifts them';
comment on column trail_holds.held_from is 'Half open; null is the beginning, and null in held_until is without an end';

create function trail_removal_only_progress() returns trigger language plpgsql as $$
begin
  if (new.id, new.first_number, new.beyond, new.planned_at) <> (old.id, old.first_number, old.beyond, old.planned_at) then
    null;
  elsif old.archived_at is null and new.removed_at is null then
    return new;
  elsif old.archived_at is not null and old.removed_at is null
    and (new.oldest_at, new.newest_at, new.retention_days, new.bucket, new.chain_id, new.key, new.archived_at, new.sha256, new.bytes, new.locked_until)
      = (old.oldest_at, old.newest_at, old.retention_days, old.bucket, old.chain_id, old.key, old.archived_at, old.sha256, old.bytes, old.locked_until)
  then
    return new;
  elsif old.removed_in is not null and new.removed_in is null
    and to_jsonb(new) - 'removed_in' = to_jsonb(old) - 'removed_in'
  then
    return new;
  end if;
  raise exception 'A removal that was archived or carried out does not change.' using errcode = 'restrict_violation';
end
$$;

create function trail_hold_only_lifted() returns trigger language plpgsql as $$
begin
  if old.lifted_at is null and new.lifted_at is not null
    and to_jsonb(new) - '{lifted_at,lifted_by}'::text[] = to_jsonb(old) - '{lifted_at,lifted_by}'::text[]
  then
    return new;
  end if;
  raise exception 'A hold can be lifted and not otherwise changed.' using errcode = 'restrict_violation';
end
$$;

-- Deleting is refused as before, but for the rows of a removal that is under way in the same transaction.
create function trail_refuse_delete() returns trigger language plpgsql as $$
begin
  if exists (select from trail_removals as r where r.removed_in = pg_current_xact_id()) then
    return null;
  end if;
  raise exception 'The trail is insert-only: % of % is refused.', lower(tg_op), tg_table_name
    using errcode = 'restrict_violation';
end
$$;

create function trail_entry_only_removed() returns trigger language plpgsql as $$
begin
  if exists (
    select from trail_sequence as s
      join trail_removals as r on s.number >= r.first_number and s.number < r.beyond
      where s.entry_id = old.id and r.removed_in = pg_current_xact_id())
  then
    return old;
  end if;
  raise exception 'The trail is insert-only: the entry is not in the span that is removed.' using errcode = 'restrict_violation';
end
$$;

create function trail_number_only_removed() returns trigger language plpgsql as $$
begin
  if exists (
    select from trail_removals as r
      where r.removed_in = pg_current_xact_id() and old.number >= r.first_number and old.number < r.beyond)
  then
    return old;
  end if;
  raise exception 'The trail is insert-only: number % is not in the span that is removed.', old.number
    using errcode = 'restrict_violation';
end
$$;
-- What is being removed is found at once, however many removals there were.
create index trail_removals_under_way on trail_removals (removed_in) where removed_in is not null;

drop trigger trail_entries_insert_only on trail_entries;
drop trigger trail_sequence_insert_only on trail_sequence;
create trigger trail_entries_insert_only before update or truncate on trail_entries
  for each statement execute function trail_refuse_change();
create trigger trail_sequence_insert_only before update or truncate on trail_sequence
  for each statement execute function trail_refuse_change();
create trigger trail_entries_no_delete before delete on trail_entries
  for each statement execute function trail_refuse_delete();
create trigger trail_sequence_no_delete before delete on trail_sequence
  for each statement execute function trail_refuse_delete();
create trigger trail_entries_only_removed before delete on trail_entries
  for each row execute function trail_entry_only_removed();
create trigger trail_sequence_only_removed before delete on trail_sequence
  for each row execute function trail_number_only_removed();
create trigger trail_removals_kept before delete or truncate on trail_removals
  for each statement execute function trail_refuse_change();
create trigger trail_removals_only_progress before update on trail_removals
  for each row execute function trail_removal_only_progress();
create trigger trail_removed_tiles_insert_only before update or delete or truncate on trail_removed_tiles
  for each statement execute function trail_refuse_change();
create trigger trail_holds_kept before delete or truncate on trail_holds
  for each statement execute function trail_refuse_change();
create trigger trail_holds_only_lifted before update on trail_holds
  for each row execute function trail_hold_only_lifted();
alter table trail_entries enable always trigger trail_entries_insert_only;
alter table trail_entries enable always trigger trail_entries_no_delete;
alter table trail_entries enable always trigger trail_entries_only_removed;
alter table trail_sequence enable always trigger trail_sequence_insert_only;
alter table trail_sequence enable always trigger trail_sequence_no_delete;
alter table trail_sequence enable always trigger trail_sequence_only_removed;
alter table trail_removals enable always trigger trail_removals_kept;
alter table trail_removals enable always trigger trail_removals_only_progress;
alter table trail_removed_tiles enable always trigger trail_removed_tiles_insert_only;
alter table trail_holds enable always trigger trail_holds_kept;
alter table trail_holds enable always trigger trail_holds_only_lifted;

-- The only road by which entries leave. It asks everything again: the caller is the server, and it may be the attacker.
create function trail_remove_span(removal uuid, stub_entry uuid) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  span trail_removals;
  said jsonb;
  counted bigint;
  newest timestamptz;
  oldest timestamptz;
begin
  -- A hold that is just being placed is waited for, and seen.
  lock table trail_holds in share mode;
  select r.* into span from trail_removals as r where r.id = removal for update;
  if not found or span.archived_at is null then
    raise exception 'Refused: there is no archive of this span that was read back.' using errcode = 'restrict_violation';
  end if;
  if span.removed_at is not null then
    raise exception 'Refused: the span was removed before.' using errcode = 'restrict_violation';
  end if;
  if not exists (select from trail_anchors as a
      where a.bucket = span.bucket and a.chain_id = span.chain_id and a.written_at is not null and a.size >= span.beyond) then
    raise exception 'Refused: no anchor covers the span.' using errcode = 'restrict_violation';
  end if;
  select count(*), min(e.at), max(e.at) into counted, oldest, newest
    from trail_sequence as s join trail_entries as e on e.id = s.entry_id
    where s.number >= span.first_number and s.number < span.beyond;
  if counted <> span.beyond - span.first_number or span.beyond > (select max(s.number) from trail_sequence as s) then
    raise exception 'Refused: the span is not whole, or it is the end of the log.' using errcode = 'restrict_violation';
  end if;
  if newest >= now() - make_interval(days => span.retention_days) then
    raise exception 'Refused: the span has not expired.' using errcode = 'restrict_violation';
  end if;
  if exists (select from trail_holds as h
      where h.lifted_at is null and coalesce(h.held_from, '-infinity') <= newest and coalesce(h.held_until, 'infinity') > oldest) then
    raise exception 'Refused: the span is under a legal hold.' using errcode = 'restrict_violation';
  end if;
  select convert_from(e.bytes, 'UTF8')::jsonb -> 'details' -> 'stub' into said
    from trail_entries as e where e.id = stub_entry and e.act = 'trail.span_removed';
  if said is null or (said ->> 'first', said ->> 'last', said ->> 'bucket', said ->> 'archive_key', said ->> 'archive_sha256')
      is distinct from (span.first_number::text, (span.beyond - 1)::text, span.bucket, span.key, encode(span.sha256, 'hex'))
      or coalesce(said ->> 'signature', '') = '' or (said ->> 'removed_at')::timestamptz is null then
    raise exception 'Refused: no signed stub of this span is in the trail.' using errcode = 'restrict_violation';
  end if;
  update trail_removals as r
    set removed_at = (said ->> 'removed_at')::timestamptz, stub_id = stub_entry, stub = said, removed_in = pg_current_xact_id()
    where r.id = removal;
  insert into trail_removed_tiles (index, removal_id, leaves)
    select s.number / 256, removal, string_agg(e.leaf_hash, ''::bytea order by s.number)
      from trail_sequence as s join trail_entries as e on e.id = s.entry_id
      where s.number >= span.first_number and s.number < span.beyond
      group by s.number / 256;
  delete from trail_entries as e using trail_sequence as s
    where s.entry_id = e.id and s.number >= span.first_number and s.number < span.beyond;
  delete from trail_sequence as s where s.number >= span.first_number and s.number < span.beyond;
  -- From here on nothing is being removed, also in a copy of this database that counts transactions anew.
  update trail_removals as r set removed_in = null where r.id = removal;
end
$$;
revoke execute on function trail_remove_span(uuid, uuid) from public;
