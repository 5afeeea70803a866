-- What outlives the database: anchors in a store with Object Lock, archives of what was removed after its time, and the
-- stubs that stand where it was.

create table trail_anchors (
  bucket text not null,
  chain_id text not null,
  sequence bigint not null check (sequence >= 0),
  key text not null,
  bytes bytea not null,
  sha256 bytea not null check (octet_length(sha256) = 32),
  first_number bigint not null check (first_number >= 0),
  size bigint not null check (size > first_number),
  root bytea not null check (octet_length(root) = 32),
  made_at timestamptz not null,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null,
  last_error text,
  written_at timestamptz,
  locked_until timestamptz,
  primary key (bucket, chain_id, sequence),
  unique (bucket, chain_id, key),
  check ((written_at is null) = (locked_until is null))
);
comment on table trail_anchors is 'Signed checkpoints as they were, or are about to be, written into the store: made first, written after, so that none is lost between';
comment on column trail_anchors.bytes is 'The exact object, so that a second try writes the same';
comment on column trail_anchors.locked_until is 'Until when the store refuses to delete it, as the store itself said';
-- One at a time: the next is made when the one before is written.
create unique index trail_anchors_waiting on trail_anchors (bucket, chain_id) where written_at is null;

create function trail_anchor_only_progress() returns trigger language plpgsql as $$
begin
  if old.written_at is null
    and (new.bucket, new.chain_id, new.sequence, new.key, new.bytes, new.sha256, new.first_number, new.size, new.root, new.made_at)
      = (old.bucket, old.chain_id, old.sequence, old.key, old.bytes, old.sha256, old.first_number, old.size, old.root, old.made_at)
  then
    return new;
  end if;
  raise exception 'An anchor that was written does not change.' using errcode = 'restrict_violation';
end
$$;
create trigger trail_anchors_kept before delete or truncate on trail_anchors
  for each statement execute function trail_refuse_change();
create trigger trail_anchors_only_progress before update on trail_anchors
  for each row execute function trail_anchor_only_progress();
alter table trail_anchors enable always trigger trail_anchors_kept;
alter table trail_anchors enable always trigger trail_anchors_only_progress;
