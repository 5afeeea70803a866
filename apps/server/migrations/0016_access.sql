-- Who may do what: roles and their grants as data, people with a life (invited, suspended, locked, removed), sessions
-- of more than browsers, and tokens of machines.

create table roles (
  tenant_id uuid not null references tenants (id),
  name text not null check (name ~ '^[a-z][a-z0-9-]{0,62}$'),
  title text not null,
  description text not null,
  permissions text[] not null,
  made_by uuid not null,
  made_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (tenant_id, name)
);
comment on table roles is 'Roles a tenant made itself; the built-in ones are in the program';

create table role_grants (
  tenant_id uuid not null,
  id uuid not null,
  person_id uuid not null,
  role text not null,
  environment text,
  granted_by uuid not null,
  granted_at timestamptz not null,
  primary key (tenant_id, id),
  unique nulls not distinct (tenant_id, person_id, role, environment),
  foreign key (tenant_id, person_id) references people (tenant_id, id) on delete cascade,
  foreign key (tenant_id, environment) references environments (tenant_id, name)
);
comment on table role_grants is 'Which roles a person holds, everywhere or in one environment';
comment on column role_grants.environment is 'Null for every environment';
create index role_grants_by_role on role_grants (tenant_id, role);

insert into role_grants (tenant_id, id, person_id, role, granted_by, granted_at)
  select p.tenant_id, gen_random_uuid(), p.id, p.role, p.id, p.made_at from people as p;

alter table people drop column role;
alter table people add column made_by uuid;
alter table people add column joined_at timestamptz;
alter table people add column last_signed_in_at timestamptz;
alter table people add column suspended_by uuid;
alter table people add column suspended_reason text;
alter table people add column locked_at timestamptz;
alter table people add column locked_until timestamptz;
alter table people add column locked_by uuid;
alter table people add column locked_reason text;
alter table people add column removed_at timestamptz;
alter table people add column removed_by uuid;
update people as p set joined_at = p.made_at;
comment on column people.joined_at is 'When the invitation was taken up; null while it was not';
comment on column people.locked_until is 'When a lock ends by itself; null for one that somebody must lift';
comment on column people.removed_at is 'Removed people stay as rows, since what they did still names them';
drop index people_by_email;
create unique index people_by_email on people (email_folded) where removed_at is null;

create table person_links (
  tenant_id uuid not null,
  id uuid not null,
  person_id uuid not null,
  purpose text not null check (purpose in ('invitation', 'password')),
  digest text not null unique,
  made_by uuid not null,
  made_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, person_id),
  foreign key (tenant_id, person_id) references people (tenant_id, id) on delete cascade
);
comment on table person_links is 'One-time links by which somebody takes up an invitation or sets a password; the newest replaces the one before, a used one is removed';

alter table sessions add column channel text not null default 'web' check (channel in ('web', 'cli'));
alter table sessions add column credential text not null default 'password';
alter table sessions add column device text;
alter table sessions add column wire_no bigint generated always as identity;
comment on column sessions.wire_no is 'The number older command lines know a session by';
comment on column sessions.channel is 'A browser, which ends when it is idle, or a command line, which ends after its days';
comment on column sessions.credential is 'How the person signed in: password, invitation, or the name of an identity provider';
comment on column sessions.device is 'What a command line calls its machine';
comment on table sessions is 'Signed-in browsers and command lines. The token itself is only with them';

create table api_tokens (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  wire_no bigint generated always as identity,
  name text not null,
  permissions text[] not null,
  environments text[],
  owner_id uuid not null,
  made_by uuid not null,
  made_at timestamptz not null,
  expires_at timestamptz,
  rotated_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  revoked_by uuid,
  primary key (tenant_id, id),
  foreign key (tenant_id, owner_id) references people (tenant_id, id)
);
comment on table api_tokens is 'Machines that use the API, with permissions of their own; never deleted, so that what they did can be told';
comment on column api_tokens.owner_id is 'Who answers for it: it stops while its owner is suspended or locked';
comment on column api_tokens.environments is 'Where it may act; null for everywhere';
create unique index api_tokens_by_name on api_tokens (tenant_id, lower(name)) where revoked_at is null;
create index api_tokens_by_owner on api_tokens (tenant_id, owner_id);

create table api_token_secrets (
  tenant_id uuid not null,
  id uuid not null,
  token_id uuid not null,
  digest text not null unique,
  prefix text not null,
  made_at timestamptz not null,
  ends_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, token_id) references api_tokens (tenant_id, id)
);
comment on table api_token_secrets is 'What a token''s holder presents, as keyed digests: one, or two while a rotated one runs out';
comment on column api_token_secrets.ends_at is 'Null for the current one';
create index api_token_secrets_by_token on api_token_secrets (tenant_id, token_id);

-- Whoever can have made something, by the name lists show.
create view principals as
  select p.tenant_id, p.id, p.email, p.name from people as p
  union all
  select t.tenant_id, t.id, t.name || ' (API token)', t.name || ' (API token)' from api_tokens as t;
comment on view principals is 'People and tokens by what lists call them';

create table person_identities (
  tenant_id uuid not null,
  person_id uuid not null,
  provider text not null,
  issuer text not null,
  subject text not null,
  made_at timestamptz not null,
  last_used_at timestamptz not null,
  primary key (tenant_id, person_id, provider),
  unique (issuer, subject),
  foreign key (tenant_id, person_id) references people (tenant_id, id) on delete cascade
);
comment on table person_identities is 'Whom an identity provider knows a person as; bound at the first sign-in by verified address, and by subject from then on';

create table sign_in_attempts (
  id uuid primary key,
  state_digest text not null unique,
  provider text not null,
  sealed text not null,
  made_at timestamptz not null,
  expires_at timestamptz not null
);
comment on table sign_in_attempts is 'Sign-ins that are at an identity provider at this moment; each row is taken once, by the browser that began it';
comment on column sign_in_attempts.sealed is 'Code verifier, nonce and where to return to, sealed and bound to this row';

create table cli_sign_ins (
  id uuid primary key,
  state_digest text not null unique,
  verifier_digest text not null,
  user_code text not null,
  user_code_digest text not null unique,
  device text not null,
  address text not null,
  agent text not null,
  made_at timestamptz not null,
  expires_at timestamptz not null,
  polled_at timestamptz,
  tenant_id uuid,
  person_id uuid,
  decided_at timestamptz,
  is_approved boolean,
  verified_at timestamptz,
  foreign key (tenant_id, person_id) references people (tenant_id, id) on delete cascade
);
comment on table cli_sign_ins is 'Command lines that wait for somebody to let them in; each is used once and gone after minutes';
comment on column cli_sign_ins.user_code is 'What both the command line and the page show, so that a person lets in the machine before them and no other';
