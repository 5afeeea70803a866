-- Agents trust the signing key they met first. When a new one is made, those that still sign vouch for it, so that agents
-- can follow without believing whoever holds their connection.

create table signing_key_endorsements (
  tenant_id uuid not null,
  signing_key_id uuid not null,
  by_signing_key_id uuid not null,
  signature bytea not null check (octet_length(signature) = 64),
  made_at timestamptz not null,
  primary key (tenant_id, signing_key_id, by_signing_key_id),
  check (signing_key_id <> by_signing_key_id),
  foreign key (tenant_id, signing_key_id) references signing_keys (tenant_id, id),
  foreign key (tenant_id, by_signing_key_id) references signing_keys (tenant_id, id)
);
comment on table signing_key_endorsements is 'One signing key''s signature over another''s public key. Insert-only';
create trigger signing_key_endorsements_insert_only before update or delete or truncate on signing_key_endorsements
  for each statement execute function refuse_change();
alter table signing_key_endorsements enable always trigger signing_key_endorsements_insert_only;
