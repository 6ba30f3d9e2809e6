-- One row for each user that was ever sent anything. Its version counts the changes of the inbox,
-- and its row lock orders them.
CREATE TABLE inbox (
    user_id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    unread BIGINT NOT NULL,
    total BIGINT NOT NULL,
    -- Notifications to everyone up to this number have been copied into the inbox; -1 for one that
    -- its user has never read or marked.
    everyone_through BIGINT NOT NULL
);

-- What a user was sent. A removed row stays for as long as its cause may be repeated.
CREATE TABLE notification (
    user_id TEXT NOT NULL,
    -- The version that the inbox got with it: its id.
    sequence BIGINT NOT NULL,
    cause TEXT NOT NULL,
    -- The number of the notification to everyone that this is a copy of, or 0.
    broadcast BIGINT NOT NULL,
    -- The caller's own id, or empty.
    external_id TEXT NOT NULL,
    -- A JSON object: the notification as clients see it, without its id and whether it is read.
    body TEXT NOT NULL,
    -- 0 while it is unread.
    read_at BIGINT NOT NULL,
    -- The request that removed it, or empty while it is in the inbox.
    removed_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, sequence)
);
CREATE UNIQUE INDEX notification_cause ON notification (user_id, cause);
CREATE INDEX notification_created ON notification (created_at);

-- Notifications to everyone, stored once and copied into an inbox when it is next used.
CREATE TABLE broadcast (
    number BIGINT PRIMARY KEY,
    cause TEXT NOT NULL UNIQUE,
    external_id TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- The highest number in use: one row, which outlives what is pruned.
CREATE TABLE broadcast_head (
    id BIGINT PRIMARY KEY,
    number BIGINT NOT NULL
);
INSERT INTO broadcast_head (id, number) VALUES (1, 0);

-- Idempotency keys in use, each with what its first request asked for and, once every recipient
-- of a request to many was served, the reply.
CREATE TABLE idempotency (
    idempotency_key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    reply TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX idempotency_created ON idempotency (created_at);
