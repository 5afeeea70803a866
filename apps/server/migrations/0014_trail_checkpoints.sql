-- The log as the world reads it: a signed checkpoint after whatever is new, and what hash tiles above the leaves are made
-- of. Insert-only like the rest of the trail.

create table trail_log_keys (
  name text primary key,
  public_key bytea not null check (octet_length(public_key) = 32),
  sealed_seed text not null,
  made_at timestamptz not null
);
comment on table trail_log_keys is 'The key that signs checkpoints; its name is the origin of the log and stays, whatever address the server gets';

create table trail_checkpoints (
  size bigint primary key check (size > 0),
  note text not null,
  at timestamptz not null
);
comment on table trail_checkpoints is 'C2SP signed notes, as they were served';

create table trail_tile_roots (
  level smallint not null,
  index bigint not null,
  root bytea not null check (octet_length(root) = 32),
  primary key (level, index)
);
comment on table trail_tile_roots is 'The root of each full tile of 256 hashes, which is a hash of the tile one level above';

create trigger trail_log_keys_insert_only before update or delete or truncate on trail_log_keys
  for each statement execute function trail_refuse_change();
create trigger trail_checkpoints_insert_only before update or delete or truncate on trail_checkpoints
  for each statement execute function trail_refuse_change();
create trigger trail_tile_roots_insert_only before update or delete or truncate on trail_tile_roots
  for each statement execute function trail_refuse_change();
alter table trail_log_keys enable always trigger trail_log_keys_insert_only;
alter table trail_checkpoints enable always trigger trail_checkpoints_insert_only;
alter table trail_tile_roots enable always trigger trail_tile_roots_insert_only;
