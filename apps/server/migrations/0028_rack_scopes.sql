-- Roles held on one rack.

alter table role_grants add column rack text check (rack ~ '^[a-z0-9][a-z0-9._-]{0,62}(/[a-z0-9][a-z0-9._-]{0,62})?$');
comment on column role_grants.rack is 'Null for every rack; with an environment, that rack while it is there';
alter table role_grants drop constraint role_grants_tenant_id_person_id_role_environment_key;
alter table role_grants add constraint role_grants_once unique nulls not distinct (tenant_id, person_id, role, environment, rack);
comment on table role_grants is 'Which roles a person holds: everywhere, in one environment, on one rack';
