-- The trace in which something came to be owed, as a W3C traceparent; empty without one.
ALTER TABLE outbox ADD COLUMN trace TEXT NOT NULL DEFAULT '';
