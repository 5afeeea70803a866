-- A way back in for an administrator when nothing else lets anybody in, made on the server's machine.

alter table person_links drop constraint person_links_purpose_check;
alter table person_links add constraint person_links_purpose_check check (purpose in ('invitation', 'password', 'recovery'));
comment on table person_links is 'One-time links by which somebody takes up an invitation, sets a password, or, as an administrator, gets back in; the newest replaces the one before, a used one is removed';

create table recovery_notices (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  person_id uuid not null,
  recovered_id uuid not null,
  stage text not null check (stage in ('made', 'used')),
  at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, person_id) references people (tenant_id, id) on delete cascade,
  foreign key (tenant_id, recovered_id) references people (tenant_id, id) on delete cascade
);
comment on table recovery_notices is 'What each administrator is told of links made on the server''s machine, until they have taken note of it';
comment on column recovery_notices.person_id is 'Who is told';
create index recovery_notices_by_person on recovery_notices (tenant_id, person_id);
