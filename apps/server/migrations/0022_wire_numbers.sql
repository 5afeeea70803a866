-- Numbers by which older clients know what they cannot name by our ids.

alter table people add column wire_no bigint generated always as identity;
alter table people add constraint people_wire_no unique (wire_no);
comment on column people.wire_no is 'The number Rack Gateway''s clients know a person by';

alter table passkey_challenges add column wire_no bigint generated always as identity;
comment on column passkey_challenges.wire_no is 'The number Rack Gateway''s clients confirm a new passkey by';
