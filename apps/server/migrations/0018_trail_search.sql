-- Entries are found by the request that made them: a copy of its id beside the other columns that are searched by.

alter table trail_entries add column request_id text;
alter table trail_sequence add column request_id text;
comment on column trail_entries.request_id is 'Copy of the id of the request in the bytes; verify compares them';

-- Copies only, taken from the bytes: what is hashed stays as it is.
alter table trail_entries disable trigger trail_entries_insert_only;
alter table trail_sequence disable trigger trail_sequence_insert_only;
update trail_entries as e set request_id = convert_from(e.bytes, 'UTF8')::json -> 'request' ->> 'id';
update trail_sequence as s set request_id = e.request_id from trail_entries as e where e.id = s.entry_id;
alter table trail_entries enable always trigger trail_entries_insert_only;
alter table trail_sequence enable always trigger trail_sequence_insert_only;

create index trail_sequence_by_request on trail_sequence (tenant_id, request_id, number) where request_id is not null;
