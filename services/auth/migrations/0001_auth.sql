-- Numbers that are given out in order; a transaction that holds a row is the only one that does so.
CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('users', 0), ('projects', 0), ('keys', 0), ('demo', 0);

CREATE TABLE users (
    id BIGINT PRIMARY KEY,
    username TEXT NOT NULL,
    folded_username TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    -- Separated by spaces.
    roles TEXT NOT NULL,
    -- 0 or 1: sqlx's Any can't read SQLite's BOOLEAN.
    active BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Organisations and projects.
CREATE TABLE resource (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Prefix of a project's tickets; organisations have none.
    key TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE UNIQUE INDEX resource_key ON resource (kind, key);

-- Users may be another system's, so they need not be in this database.
CREATE TABLE membership (
    kind TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (kind, resource_id, user_id)
);
CREATE INDEX membership_user ON membership (user_id, kind, resource_id);

CREATE TABLE signing_key (
    kid TEXT PRIMARY KEY,
    -- The highest one signs.
    number BIGINT NOT NULL UNIQUE,
    private_key TEXT NOT NULL,
    public_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Set at its retirement: when the last token that it signed has expired.
    forget_at BIGINT
);

CREATE TABLE service_token (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- Separated by spaces.
    scopes TEXT NOT NULL,
    kid TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX service_token_expires ON service_token (expires_at);

-- `forget_at`: when gateways may forget it, as no access token is affected any more.
-- `kept_until`: when auth may, as no refresh token is either.
CREATE TABLE user_revocation (
    user_id TEXT PRIMARY KEY,
    void_before BIGINT NOT NULL,
    forget_at BIGINT NOT NULL,
    kept_until BIGINT NOT NULL
);
CREATE INDEX user_revocation_kept ON user_revocation (kept_until);

CREATE TABLE token_revocation (
    token TEXT PRIMARY KEY,
    forget_at BIGINT NOT NULL,
    kept_until BIGINT NOT NULL
);
CREATE INDEX token_revocation_kept ON token_revocation (kept_until);

CREATE TABLE login_failure (
    subject TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX login_failure_ends ON login_failure (ends_at);

-- The answers to recent requests that changed something, for whoever repeats one.
CREATE TABLE answer (
    cause TEXT PRIMARY KEY,
    reply BYTES NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX answer_at ON answer (at);
