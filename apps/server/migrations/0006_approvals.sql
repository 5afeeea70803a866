-- Calls held for a human. What was asked never changes, a settled one never changes, and none is ever removed: by trigger
-- here, whoever asks, and by grant for the role the server runs as.

create table approvals (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  environment text not null,
  agent_id text not null,
  key_id uuid not null,
  key_prefix text not null,
  session_id text,
  tool text not null,
  args text,
  args_is_redacted boolean not null,
  args_is_escaped boolean not null,
  args_seal text not null,
  message text not null,
  timeout_seconds integer not null check (timeout_seconds between 1 and 86400),
  deadline timestamptz not null,
  on_timeout text not null check (on_timeout in ('block', 'allow')),
  revision text,
  claimed_rule text,
  claimed_source text,
  digest text not null check (digest ~ '^[0-9a-f]{64}$'),
  created_at timestamptz not null,
  status text not null default 'pending' check (status in ('pending', 'approved', 'denied', 'timed_out', 'cancelled')),
  settled_at timestamptz,
  settled_by_kind text,
  settled_by_id text,
  settled_by_label text,
  settled_via text,
  settled_address text,
  settled_user_agent text,
  claimed_by text,
  reason text,
  last_polled_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, key_id) references agent_keys (tenant_id, id),
  check ((status = 'pending') = (settled_at is null)),
  check ((status = 'pending') = (settled_by_kind is null)),
  check ((status = 'pending') = (settled_via is null))
);
comment on table approvals is 'Held calls: each is single-use authority over exactly the call that was shown, until its deadline';
comment on column approvals.args is 'Redacted JSON text; text and not jsonb, which would rewrite its numbers';
comment on column approvals.args_seal is 'Keyed digest of the arguments as they were received, before redaction';
comment on column approvals.revision is 'Hash of the revision the server last saw this agent run';
comment on column approvals.digest is 'SHA-256 over the canonical JSON of everything that was asked';
comment on column approvals.claimed_by is 'Whom a deciding key says it speaks for; a claim';
comment on column approvals.last_polled_at is 'When somebody last asked for the answer; null for good means a request whose answer nobody awaits';
create index approvals_by_deadline on approvals (deadline) where status = 'pending';
create index approvals_pending on approvals (tenant_id, deadline, id) where status = 'pending';
create index approvals_pending_by_key on approvals (tenant_id, key_id) where status = 'pending';
create index approvals_by_tool on approvals (tenant_id, environment, tool, id);
create index approvals_by_agent on approvals (tenant_id, environment, agent_id, id);

create function approvals_only_settle() returns trigger language plpgsql as $$
begin
  if (new.tenant_id, new.id, new.environment, new.agent_id, new.key_id, new.key_prefix, new.session_id, new.tool, new.args,
      new.args_is_redacted, new.args_is_escaped, new.args_seal, new.message, new.timeout_seconds, new.deadline, new.on_timeout,
      new.revision, new.claimed_rule, new.claimed_source, new.digest, new.created_at)
    is distinct from
     (old.tenant_id, old.id, old.environment, old.agent_id, old.key_id, old.key_prefix, old.session_id, old.tool, old.args,
      old.args_is_redacted, old.args_is_escaped, old.args_seal, old.message, old.timeout_seconds, old.deadline, old.on_timeout,
      old.revision, old.claimed_rule, old.claimed_source, old.digest, old.created_at)
  then
    raise exception 'What an approval asked for cannot be changed.' using errcode = 'restrict_violation';
  end if;
  if old.status <> 'pending' and
     (new.status, new.settled_at, new.settled_by_kind, new.settled_by_id, new.settled_via, new.reason, new.claimed_by)
       is distinct from
     (old.status, old.settled_at, old.settled_by_kind, old.settled_by_id, old.settled_via, old.reason, old.claimed_by)
  then
    raise exception 'A settled approval cannot be changed.' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;

create function approvals_are_kept() returns trigger language plpgsql as $$
begin
  raise exception 'Approvals are kept: % is refused.', lower(tg_op) using errcode = 'restrict_violation';
end
$$;

create trigger approvals_only_settled before update on approvals for each row execute function approvals_only_settle();
create trigger approvals_kept before delete or truncate on approvals for each statement execute function approvals_are_kept();
alter table approvals enable always trigger approvals_only_settled;
alter table approvals enable always trigger approvals_kept;

alter table agent_keys add column may_decide boolean not null default false;
comment on column agent_keys.may_decide is 'The key may decide approvals that other keys of its environment asked for; no ordinary key may';
