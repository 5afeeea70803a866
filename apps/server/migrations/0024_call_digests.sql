-- Replays evaluate calls that are the same once. Which are the same is known when an event arrives, so that a replay reads
-- a digest instead of a payload. Null in rows from before this migration, whose payloads are read as they always were.

alter table events add column call_digest uuid;
comment on column events.call_digest is 'SHA-256, cut to 128 bits, of what a decision about the recorded call depends on and of how it was decided; null when the event tells of no decision, or is older than the column';
