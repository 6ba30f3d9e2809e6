-- Whom gateways let in no more: users, and addresses by their network.
CREATE TABLE block (
    id TEXT PRIMARY KEY,
    -- 'user' or 'address'
    kind TEXT NOT NULL,
    -- A user's id, or a network as 203.0.113.0/24.
    subject TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- None: until it is lifted.
    expires_at BIGINT
);
CREATE UNIQUE INDEX block_subject ON block (kind, subject);
CREATE INDEX block_expires ON block (expires_at);
