-- Where somebody counts without a pause, the table is never found unused, and just then each count reads the emptied pages.
-- So this waits a moment: a count is soon through, and who comes meanwhile stands behind for no longer than that.
create or replace function give_back_count_changes() returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set lock_timeout = '100ms' as $$
begin
  if pg_relation_size('public.event_count_changes') < 8 * 1024 * 1024 then
    return true;
  end if;
  lock table public.event_count_changes in access exclusive mode;
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
