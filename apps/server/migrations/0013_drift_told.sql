-- So that an agent that drifts is announced once and not each time somebody looks.

alter table agents add column drift_told_at timestamptz;
comment on column agents.drift_told_at is 'Since when it has been announced to run another revision than is rolled out for it; null while it does not';
create index agents_drifting on agents (tenant_id) where drift_told_at is not null;
