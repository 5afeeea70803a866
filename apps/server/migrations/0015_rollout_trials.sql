-- Rollouts whose new rules only observe until a stated condition holds.

create table rollout_trials (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  number bigint generated always as identity,
  ruleset text not null,
  environment text not null,
  version integer not null,
  trial_version integer not null,
  rollout_id uuid not null,
  rules text[] not null,
  would_block_max integer not null check (would_block_max >= 0),
  ends_at timestamptz not null,
  status text not null check (status in ('observing', 'enforcing', 'enforced', 'stopped', 'superseded', 'cancelled')),
  would_blocks bigint not null default 0,
  checked_at timestamptz,
  made_by uuid not null,
  made_at timestamptz not null,
  ended_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, ruleset, version) references revisions (tenant_id, ruleset, version),
  foreign key (tenant_id, rollout_id) references rollouts (tenant_id, id)
);
comment on table rollout_trials is 'A revision whose new and changed rules run observed first, and become enforcing by themselves when few calls would have been blocked';
comment on column rollout_trials.version is 'What becomes live at the end; trial_version is what is live meanwhile';
create unique index rollout_trials_by_number on rollout_trials (tenant_id, number);
create index rollout_trials_open on rollout_trials (ends_at) where status in ('observing', 'enforcing');
