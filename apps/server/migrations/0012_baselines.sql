-- Rules that every ruleset of an environment includes, whoever rolls it out.

create table environment_baselines (
  tenant_id uuid not null references tenants (id),
  environment text not null,
  baselines jsonb not null,
  changed_by uuid not null,
  changed_at timestamptz not null,
  primary key (tenant_id, environment),
  foreign key (tenant_id, environment) references environments (tenant_id, name) on delete cascade
);
comment on table environment_baselines is 'The revisions whose rules stand in front of every other ruleset that is live in the environment: name and version, in order';

create table baseline_revisions (
  tenant_id uuid not null,
  ruleset text not null,
  version integer not null,
  from_version integer not null,
  baselines jsonb not null,
  primary key (tenant_id, ruleset, version),
  foreign key (tenant_id, ruleset, version) references revisions (tenant_id, ruleset, version),
  foreign key (tenant_id, ruleset, from_version) references revisions (tenant_id, ruleset, version)
);
comment on table baseline_revisions is 'Revisions that were made by putting baselines in front of another revision of the same ruleset';
create index baseline_revisions_by_origin on baseline_revisions (tenant_id, ruleset, from_version);
