-- Whoever made the key that asks never approves while somebody else could; where nobody else can, that is written down.

alter table approvals add column settled_by_owner boolean not null default false;
comment on column approvals.settled_by_owner is 'Decided by whoever made the key that asked: denied, or approved since nobody else could';
comment on column approvals.excludes_owner is 'Whoever made the key that asks may not approve, not even while nobody else can';
comment on column approval_policies.excludes_owner is 'Whoever made the key that asks may not approve, not even while nobody else can';

alter table approval_votes add column by_owner boolean not null default false;
comment on column approval_votes.by_owner is 'Said by whoever made the key that asked; an approval counts only while nobody else could';

create function approval_owner_stays() returns trigger language plpgsql as $$
begin
  if old.status <> 'pending' and new.settled_by_owner is distinct from old.settled_by_owner then
    raise exception 'A settled approval cannot be changed.' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger approval_owner_kept before update on approvals for each row execute function approval_owner_stays();
alter table approvals enable always trigger approval_owner_kept;

alter table factor_states add column reset_at timestamptz, add column reset_by uuid;
comment on column factor_states.reset_at is 'When somebody else removed all factors of this person; until the person has taken note of it';
comment on column factor_states.reset_by is 'The administrator who did; null for the command on the server''s machine';
