-- Grows with every change of a rule. Its row lock makes changes take turns.
CREATE TABLE access_version (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO access_version (id, version) VALUES (1, 0);

-- Who may enter what begins with a prefix: rules made over HTTP. Those of the configuration are not here.
CREATE TABLE access_rule (
    -- The version that made it.
    id BIGINT PRIMARY KEY,
    -- `chat`, `collaboration` or `document`
    area TEXT NOT NULL,
    prefix TEXT NOT NULL,
    -- `everyone`, `signed-in`, `org:<id>`, `project:<id>` or `users:<id>,<id>`
    allowed TEXT NOT NULL
);
CREATE UNIQUE INDEX access_rule_prefix ON access_rule (area, prefix);

-- Changes of the last day, whose rooms are cleared.
CREATE TABLE access_change (
    version BIGINT PRIMARY KEY,
    area TEXT NOT NULL,
    prefix TEXT NOT NULL,
    -- 0: its rooms are yet to be cleared.
    cleared_at BIGINT NOT NULL
);
