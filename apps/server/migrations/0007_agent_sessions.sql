create table agent_session_values (
  tenant_id uuid not null,
  environment text not null,
  key_digest bytea not null,
  key text not null,
  value text,
  is_escaped boolean not null default false,
  number numeric,
  expires_at timestamptz not null,
  expires_on date not null,
  primary key (tenant_id, environment, key_digest),
  check (value is not null or number is not null)
) with (fillfactor = 50);
comment on table agent_session_values is 'Counters and values that agents keep for their sessions; gone a week after they were last written';
comment on column agent_session_values.key_digest is 'SHA-256 of the key, which may be longer than an index entry';
comment on column agent_session_values.value is 'As it was put, byte for byte; null after an increment, when the number is the value';
comment on column agent_session_values.is_escaped is 'The value is a JSON text of what was put, since that cannot be stored as it is';
comment on column agent_session_values.number is 'What an increment adds to; null when the value is no decimal number';
-- By day: an index on the moment itself would be rewritten by every increment.
create index agent_session_values_by_day on agent_session_values (expires_on);
