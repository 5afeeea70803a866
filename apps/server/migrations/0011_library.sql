-- Reusable rules with versions, and compositions that put them together to rulesets.

create table library_rules (
  tenant_id uuid not null references tenants (id),
  rule_id text not null check (rule_id ~ '^[a-z0-9][a-z0-9_-]{0,127}$'),
  latest_version integer not null check (latest_version > 0),
  made_at timestamptz not null,
  primary key (tenant_id, rule_id)
);
comment on table library_rules is 'Ids of reusable rules';
comment on column library_rules.latest_version is 'Counted up by the change itself, so that racing changes get versions of their own';

create table library_rule_versions (
  tenant_id uuid not null,
  rule_id text not null,
  version integer not null,
  id uuid not null,
  type text not null check (type in ('pre', 'post', 'session', 'sandbox')),
  name text not null,
  description text,
  tags text[] not null,
  ruleset_text text not null,
  contract_bundle_text text not null,
  contract_bundle_definition jsonb not null,
  made_by uuid not null,
  made_at timestamptz not null,
  primary key (tenant_id, rule_id, version),
  foreign key (tenant_id, rule_id) references library_rules (tenant_id, rule_id) on delete cascade
);
comment on table library_rule_versions is 'Each state of a reusable rule: its body without its id, in both dialects. Never changed, only removed with the rule';
comment on column library_rule_versions.contract_bundle_definition is 'The body as data, as older clients read it';

create table compositions (
  tenant_id uuid not null references tenants (id),
  name text not null check (name ~ '^[a-z0-9][a-z0-9._-]{0,127}$'),
  id uuid not null,
  description text,
  default_mode text not null check (default_mode in ('enforce', 'observe')),
  tools jsonb,
  observability jsonb,
  edit integer not null check (edit > 0),
  made_by uuid not null,
  made_at timestamptz not null,
  changed_by uuid not null,
  changed_at timestamptz not null,
  primary key (tenant_id, name)
);
comment on table compositions is 'Rules of the library in an order, out of which a ruleset of the same name is made';
comment on column compositions.edit is 'Counts its changes, so that a change of what somebody else changed meanwhile is refused';

create table composition_items (
  tenant_id uuid not null,
  composition text not null,
  position integer not null,
  rule_id text not null,
  version integer not null,
  mode text check (mode in ('enforce', 'observe')),
  is_enabled boolean not null,
  primary key (tenant_id, composition, position),
  foreign key (tenant_id, composition) references compositions (tenant_id, name) on delete cascade,
  foreign key (tenant_id, rule_id, version) references library_rule_versions (tenant_id, rule_id, version)
);
comment on table composition_items is 'A rule at its place in a composition, at a version that stays until somebody changes it';
create index composition_items_by_rule on composition_items (tenant_id, rule_id);
