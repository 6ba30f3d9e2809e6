-- What this service owes to others: one row until the other has acknowledged it.
CREATE TABLE outbox (
    service TEXT NOT NULL,
    method TEXT NOT NULL,
    cause TEXT NOT NULL,
    payload BYTES NOT NULL,
    owed_at BIGINT NOT NULL,
    -- Not before, and in this order: when it was owed, the end of a replica's claim, or of the pause
    -- after a failure.
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (service, method, cause)
);

CREATE INDEX outbox_due_at ON outbox (service, due_at);
