-- What waits to be counted is read whole by everybody who counts. Once much has waited, the emptied pages stay, and vacuum
-- gives them back only when it happens to find the table unused; until then each count reads hundreds of megabytes of
-- nothing. Only the owner may truncate, so this does exactly that, and only to an empty table. It waits for nobody, so
-- that nobody waits behind it.
-- Answers whether that is settled; if not, somebody uses it, and it is to be tried again.
create function give_back_count_changes() returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if pg_relation_size('public.event_count_changes') < 8 * 1024 * 1024 then
    return true;
  end if;
  lock table public.event_count_changes in access exclusive mode nowait;
  if exists (select from public.event_count_changes) then
    return false;
  end if;
  truncate public.event_count_changes;
  return true;
exception
  when lock_not_available then
    return false;
end
$$;
revoke execute on function give_back_count_changes() from public;
