-- The record of what we witnessed. Entries are written in the transaction of their change; one sequencer then gives
-- committed entries their numbers and remembers the head of the log after each batch. All three tables are insert-only:
-- by trigger here, whoever asks, and by grant for the role the server runs as.

create sequence trail_arrival as bigint;

-- The transaction id is taken before the number, so that whoever reads the sequence and then takes a snapshot knows:
-- every transaction that holds a number up to the one read is in that snapshot, running or finished. Without that the
-- sequencer could pass by an entry whose transaction is about to commit.
create function trail_next_arrival() returns bigint language plpgsql volatile as $$
begin
  perform pg_current_xact_id();
  return nextval('trail_arrival');
end
$$;

create table trail_entries (
  id uuid primary key,
  arrival bigint not null unique default trail_next_arrival(),
  tenant_id uuid,
  at timestamptz not null,
  act text not null,
  outcome text not null,
  actor_kind text not null,
  actor_id text not null,
  subject_kind text not null,
  subject_id text not null,
  bytes bytea not null check (octet_length(bytes) <= 65535),
  leaf_hash bytea not null generated always as (sha256('\x00'::bytea || bytes)) stored,
  mac bytea,
  mac_key text,
  check ((mac is null) = (mac_key is null))
);
comment on table trail_entries is 'Durable entries of the trail: the canonical bytes are the entry, the other columns are copies to search by; verify compares them';
comment on column trail_entries.arrival is 'In which order entries were written; has gaps where transactions were undone. The number of an entry is in trail_sequence';
comment on column trail_entries.mac is 'Keyed MAC over the bytes, for those who relied on one; not the evidence';

create table trail_sequence (
  number bigint primary key check (number >= 0),
  entry_id uuid not null unique,
  tenant_id uuid,
  at timestamptz not null,
  act text not null,
  outcome text not null,
  actor_id text not null,
  subject_kind text not null,
  subject_id text not null
);
comment on table trail_sequence is 'The gapless number of each entry, from 0, which is its leaf in the tree; with copies of what is filtered by, so that every filter walks an index by number';
create index trail_sequence_by_tenant on trail_sequence (tenant_id, number);
create index trail_sequence_by_act on trail_sequence (tenant_id, act, number);
create index trail_sequence_by_actor on trail_sequence (tenant_id, actor_id, number);
create index trail_sequence_by_subject on trail_sequence (tenant_id, subject_id, number);
create index trail_sequence_by_time on trail_sequence using brin (at) with (pages_per_range = 16);

create table trail_heads (
  size bigint primary key check (size > 0),
  root bytea not null check (octet_length(root) = 32),
  peaks bytea not null check (octet_length(peaks) % 32 = 0),
  floor bigint not null,
  at timestamptz not null
);
comment on table trail_heads is 'The head of the log after each batch: size and RFC 6962 root, and the roots of its perfect subtrees, from which the next head is made';
comment on column trail_heads.floor is 'Every entry whose arrival is not above this was numbered or never committed';

create table trail_subject_keys (
  name text primary key,
  tenant_id uuid,
  data_subject text not null,
  sealed_key text,
  made_at timestamptz not null,
  erased_at timestamptz,
  check ((sealed_key is null) = (erased_at is not null))
);
comment on table trail_subject_keys is 'The key of each person''s facts in the trail, sealed; erasing it erases them, and no hash changes';
comment on column trail_subject_keys.name is 'Digest of the key, as the entries name it; stays after the key is erased';
-- The tenant comes second, since it may be null and an index cannot look for null or a value in one condition.
create unique index trail_subject_keys_in_use on trail_subject_keys (data_subject, tenant_id) nulls not distinct
  where sealed_key is not null;

create function trail_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'The trail is insert-only: % of % is refused.', lower(tg_op), tg_table_name
    using errcode = 'restrict_violation';
end
$$;

-- A key may be erased, and nothing else may happen to it.
create function trail_only_erase() returns trigger language plpgsql as $$
begin
  if old.sealed_key is not null and new.sealed_key is null and new.erased_at is not null
    and (new.name, new.tenant_id, new.data_subject, new.made_at)
      is not distinct from (old.name, old.tenant_id, old.data_subject, old.made_at)
  then
    return new;
  end if;
  raise exception 'A key of the trail can be erased and not otherwise changed.' using errcode = 'restrict_violation';
end
$$;

create trigger trail_entries_insert_only before update or delete or truncate on trail_entries
  for each statement execute function trail_refuse_change();
create trigger trail_sequence_insert_only before update or delete or truncate on trail_sequence
  for each statement execute function trail_refuse_change();
create trigger trail_heads_insert_only before update or delete or truncate on trail_heads
  for each statement execute function trail_refuse_change();
create trigger trail_subject_keys_kept before delete or truncate on trail_subject_keys
  for each statement execute function trail_refuse_change();
create trigger trail_subject_keys_only_erased before update on trail_subject_keys
  for each row execute function trail_only_erase();

-- "Always": a session that calls itself a replica does not get around them.
alter table trail_entries enable always trigger trail_entries_insert_only;
alter table trail_sequence enable always trigger trail_sequence_insert_only;
alter table trail_heads enable always trigger trail_heads_insert_only;
alter table trail_subject_keys enable always trigger trail_subject_keys_kept;
alter table trail_subject_keys enable always trigger trail_subject_keys_only_erased;
