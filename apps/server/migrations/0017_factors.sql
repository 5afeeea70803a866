-- Second factors of people, what a session has proven with them, and approvals that are signed with one.

alter table sessions
  add column verified_at timestamptz,
  add column stepped_up_at timestamptz,
  add column unspent_at timestamptz;
comment on column sessions.verified_at is 'When a second factor, or a trusted device, completed the sign-in; null until then';
comment on column sessions.stepped_up_at is 'When a factor, or the password of somebody without one, was last proven in this session';
comment on column sessions.unspent_at is 'When a factor was proven that no act has used up yet; the sharpest acts need one each';

create table factors (
  tenant_id uuid not null,
  id uuid not null,
  wire_no bigint generated always as identity unique,
  person_id uuid not null,
  kind text not null check (kind in ('totp', 'passkey', 'yubico')),
  label text not null,
  made_at timestamptz not null,
  confirmed_at timestamptz,
  last_used_at timestamptz,
  sealed_secret text,
  credential_id text unique,
  public_key text,
  algorithm integer,
  counter bigint,
  transports text[],
  is_backed_up boolean,
  cli_capable boolean not null default false,
  registration jsonb,
  primary key (tenant_id, id),
  foreign key (tenant_id, person_id) references people (tenant_id, id) on delete cascade,
  check ((kind = 'totp') = (sealed_secret is not null)),
  check ((kind = 'totp') = (credential_id is null)),
  check ((kind = 'passkey') = (public_key is not null)),
  check ((kind = 'passkey') = (counter is not null))
);
comment on table factors is 'Second factors: an authenticator app, a passkey, a Yubico key. One counts once it was confirmed';
comment on column factors.sealed_secret is 'The shared secret of an authenticator app, sealed and bound to this row';
comment on column factors.credential_id is 'Of a passkey in base64url; the public identity of a Yubico key';
comment on column factors.public_key is 'COSE key of a passkey in base64url, as it was registered';
comment on column factors.registration is 'What a verifier needs to know of how a passkey was registered: when, for which relying party, by which kind of device';
create index factors_by_person on factors (tenant_id, person_id);

create table factor_states (
  tenant_id uuid not null,
  person_id uuid not null,
  user_handle text not null unique,
  preferred_kind text check (preferred_kind in ('totp', 'passkey', 'yubico')),
  failures integer not null default 0,
  failed_at timestamptz,
  next_try_at timestamptz,
  locked_until timestamptz,
  primary key (tenant_id, person_id),
  foreign key (tenant_id, person_id) references people (tenant_id, id) on delete cascade
);
comment on table factor_states is 'A person''s failed attempts, of every factor together, and which one is asked for first';
comment on column factor_states.user_handle is 'What passkeys know this person by: random, so that it tells nothing';

create table totp_steps (
  tenant_id uuid not null,
  person_id uuid not null,
  step bigint not null,
  used_at timestamptz not null,
  primary key (tenant_id, person_id, step),
  foreign key (tenant_id, person_id) references people (tenant_id, id) on delete cascade
);
comment on table totp_steps is 'Time steps whose code was used: by whichever authenticator app, each counts once';

create table backup_codes (
  tenant_id uuid not null,
  person_id uuid not null,
  digest text not null,
  made_at timestamptz not null,
  used_at timestamptz,
  primary key (tenant_id, person_id, digest),
  foreign key (tenant_id, person_id) references people (tenant_id, id) on delete cascade
);
comment on table backup_codes is 'Codes that work once each; only a keyed digest is kept';

create table trusted_devices (
  tenant_id uuid not null,
  id uuid not null,
  wire_no bigint generated always as identity unique,
  person_id uuid not null,
  token_digest text not null unique,
  agent_digest text not null,
  label text not null,
  address text not null,
  made_at timestamptz not null,
  last_used_at timestamptz,
  expires_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, person_id) references people (tenant_id, id) on delete cascade
);
comment on table trusted_devices is 'Browsers that are not asked for a second factor at sign-in; they never replace one for a sharp act';
create index trusted_devices_by_person on trusted_devices (tenant_id, person_id);

create table passkey_challenges (
  tenant_id uuid not null,
  id uuid not null,
  person_id uuid not null,
  session_id uuid not null,
  purpose text not null check (purpose in ('enroll', 'verify', 'countersign')),
  challenge text not null,
  content text,
  expires_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, session_id) references sessions (tenant_id, id) on delete cascade
);
comment on table passkey_challenges is 'What a passkey was asked to sign: for one session, one purpose and one answer, then gone';
comment on column passkey_challenges.content is 'Of a countersignature: the canonical content whose digest is the challenge';
create index passkey_challenges_by_expiry on passkey_challenges (expires_at);

create table factor_required_roles (
  tenant_id uuid not null references tenants (id),
  role text not null,
  primary key (tenant_id, role)
);
comment on table factor_required_roles is 'Roles whose holders must have a second factor, also where not everybody must';

create table approval_policies (
  tenant_id uuid not null,
  environment text not null,
  rule text not null,
  proof text not null check (proof in ('session', 'step-up', 'countersignature')),
  approvers integer not null check (approvers >= 1 and approvers <= 10),
  excludes_owner boolean not null,
  changed_by uuid not null,
  changed_at timestamptz not null,
  primary key (tenant_id, environment, rule),
  foreign key (tenant_id, environment) references environments (tenant_id, name) on delete cascade
);
comment on table approval_policies is 'What a decision needs to count: how the approver proves himself, and how many must agree';
comment on column approval_policies.excludes_owner is 'Whoever made the key that asks may not decide';
comment on column approval_policies.rule is 'Id of the rule whose held calls this is for; empty for every other rule of the environment';

alter table approvals
  add column proof text not null default 'session' check (proof in ('session', 'step-up', 'countersignature')),
  add column approvers integer not null default 1 check (approvers >= 1 and approvers <= 10),
  add column excludes_owner boolean not null default false;
comment on column approvals.proof is 'The policy as it was when the call was held; a later change of policy does not soften it';

create table approval_votes (
  tenant_id uuid not null,
  approval_id uuid not null,
  person_id uuid not null,
  is_approval boolean not null,
  reason text,
  at timestamptz not null,
  proof text not null check (proof in ('session', 'step-up', 'countersignature')),
  factor_id uuid,
  countersignature jsonb,
  primary key (tenant_id, approval_id, person_id),
  foreign key (tenant_id, approval_id) references approvals (tenant_id, id),
  check ((proof = 'countersignature') = (countersignature is not null))
);
comment on table approval_votes is 'What each approver said of a held call, with the signature where one was given';

-- What was asked includes what a decision needs: the trigger of the approvals covers the new columns too.
create function approval_policy_stays() returns trigger language plpgsql as $$
begin
  if (new.proof, new.approvers, new.excludes_owner) is distinct from (old.proof, old.approvers, old.excludes_owner) then
    raise exception 'What a decision needs cannot be changed.' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger approval_policy_kept before update on approvals for each row execute function approval_policy_stays();
alter table approvals enable always trigger approval_policy_kept;
