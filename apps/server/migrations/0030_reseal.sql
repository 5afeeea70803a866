-- What is sealed in the trail can be sealed anew after a rotation of the seal key, by the owner of the tables.

-- PostgreSQL cannot see that two boxes hold the same. It sees that the new one is a box of the same length under another
-- key, and who asks; that the same is in it is what its opener finds out, since it is bound to its row, and both the name
-- of a person's key and the public half of the log's key follow from what is sealed.
create function trail_is_resealed(was text, is_now text, of_table oid) returns boolean language sql stable
  set search_path = pg_catalog, pg_temp as $$
    select is_now ~ '^[0-9a-f]{8}:[A-Za-z0-9+/]+={0,2}$'
        and length(is_now) = length(was)
        and split_part(is_now, ':', 1) <> split_part(was, ':', 1)
        and pg_has_role(current_user, c.relowner, 'USAGE')
      from pg_catalog.pg_class as c where c.oid = of_table
$$;
comment on function trail_is_resealed(text, text, oid) is 'Whether a sealed value is replaced as a rotation of the seal key replaces it: by another of its length, under another key, by the owner of the table';

create or replace function trail_only_erase() returns trigger language plpgsql as $$
begin
  if old.sealed_key is not null
    and (new.name, new.tenant_id, new.data_subject, new.made_at)
      is not distinct from (old.name, old.tenant_id, old.data_subject, old.made_at)
  then
    if new.sealed_key is null and new.erased_at is not null then
      return new;
    end if;
    if new.erased_at is null and public.trail_is_resealed(old.sealed_key, new.sealed_key, tg_relid) then
      return new;
    end if;
  end if;
  raise exception 'A key of the trail can be erased, or sealed anew by the owner of the tables, and not otherwise changed.'
    using errcode = 'restrict_violation';
end
$$;

create function trail_only_reseal() returns trigger language plpgsql as $$
begin
  if (new.name, new.public_key, new.made_at) is not distinct from (old.name, old.public_key, old.made_at)
    and public.trail_is_resealed(old.sealed_seed, new.sealed_seed, tg_relid)
  then
    return new;
  end if;
  raise exception 'The trail is insert-only: its log key can be sealed anew by the owner of the tables, and not otherwise changed.'
    using errcode = 'restrict_violation';
end
$$;

drop trigger trail_log_keys_insert_only on trail_log_keys;
create trigger trail_log_keys_kept before delete or truncate on trail_log_keys
  for each statement execute function trail_refuse_change();
create trigger trail_log_keys_only_resealed before update on trail_log_keys
  for each row execute function trail_only_reseal();
alter table trail_log_keys enable always trigger trail_log_keys_kept;
alter table trail_log_keys enable always trigger trail_log_keys_only_resealed;

comment on table trail_subject_keys is 'The key of each person''s facts in the trail, sealed; erasing it erases them, and no hash changes. After a rotation the owner seals it anew; a key that was erased never comes back';
