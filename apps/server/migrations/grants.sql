-- What the role the server runs as may do. Run by the owner after every migration, in one transaction, with the role's
-- name in place of :"app_role". It begins with nothing, so whatever is not said here is not allowed.

revoke all on all tables in schema public from :"app_role";
revoke all on all sequences in schema public from :"app_role";
revoke create on schema public from public;

grant usage on schema public to :"app_role";
grant select, insert, update, delete on all tables in schema public to :"app_role";
grant usage, select on all sequences in schema public to :"app_role";
revoke insert, update, delete on schema_migrations from :"app_role";

-- The job queue: its rows, never its tables.
grant usage on schema pgboss to :"app_role";
grant select, insert, update, delete on all tables in schema pgboss to :"app_role";
grant usage, select on all sequences in schema pgboss to :"app_role";
grant execute on all functions in schema pgboss to :"app_role";
revoke insert, delete on pgboss.version from :"app_role";

-- Insert-only tables. Without update, delete or truncate, what was written stays written: add each one here by name.
revoke insert, update, delete on trail_entries, trail_sequence, trail_heads, trail_subject_keys,
  trail_log_keys, trail_checkpoints, trail_tile_roots from :"app_role";
-- Not `arrival`: an entry that chose its own could hide from the sequencer.
grant insert (id, tenant_id, at, act, outcome, actor_kind, actor_id, subject_kind, subject_id, request_id, bytes, mac, mac_key) on trail_entries to :"app_role";
grant insert on trail_sequence, trail_heads, trail_subject_keys, trail_log_keys, trail_checkpoints, trail_tile_roots to :"app_role";
grant update (sealed_key, erased_at) on trail_subject_keys to :"app_role";

-- Approvals are settled, never removed; its trigger lets nothing else change.
revoke delete on approvals from :"app_role";
-- Who is gone is marked so, and what was done in their name keeps its name.
revoke delete on people, api_tokens from :"app_role";
revoke update, delete on approval_votes from :"app_role";
revoke update, delete on revisions, rollouts, rollout_signatures, signing_key_endorsements from :"app_role";
-- A signing key can be replaced and retired; its public half and its seed stay what they were.
revoke update, delete on signing_keys from :"app_role";
grant update (is_current, retired_by, retired_at) on signing_keys to :"app_role";

-- Made by the owner on the server's behalf: partitions of the events, and nothing else.
grant execute on function make_event_partition(timestamptz), drop_event_partition(timestamptz), give_back_count_changes()
  to :"app_role";

-- An anchor is made once; afterwards it is told how writing it went.
revoke update, delete on trail_anchors from :"app_role";
grant update (attempts, next_attempt_at, last_error, written_at, locked_until) on trail_anchors to :"app_role";

-- Expired entries leave by one function, which asks everything again; leaf hashes and stubs stay.
revoke insert, update, delete on trail_removals, trail_removed_tiles, trail_holds from :"app_role";
grant insert (id, first_number, beyond, oldest_at, newest_at, retention_days, bucket, chain_id, key, planned_at, next_attempt_at) on trail_removals to :"app_role";
grant update (oldest_at, newest_at, retention_days, bucket, chain_id, key, attempts, next_attempt_at, last_error, archived_at, sha256, bytes, locked_until) on trail_removals to :"app_role";
grant insert (tenant_id, id, reason, held_from, held_until, placed_by, placed_at) on trail_holds to :"app_role";
grant update (lifted_by, lifted_at) on trail_holds to :"app_role";
grant execute on function trail_remove_span(uuid, uuid) to :"app_role";
