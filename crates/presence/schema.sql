-- Who is in a topic.

-- One row for each gateway that has renewed lately. It outlives its end by a while, so that nobody
-- enters a connection under a lease that is being deleted.
CREATE TABLE presence_lease (
    lease TEXT NOT NULL PRIMARY KEY,
    -- Another one whenever connections of the lease were counted out behind its gateway's back.
    generation TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX presence_lease_expiry ON presence_lease (expires_at);

-- Each connection that is counted in, or was until lately. Its row lock orders its comings and goings.
CREATE TABLE presence_connection (
    connection TEXT NOT NULL PRIMARY KEY,
    lease TEXT NOT NULL,
    -- When it was closed, 0 while it is open. A closed one never counts again: what arrives late
    -- finds it here.
    left_at BIGINT NOT NULL,
    -- When it stops counting if its client doesn't return; 0 if nothing is awaited.
    due BIGINT NOT NULL
);
CREATE INDEX presence_connection_lease ON presence_connection (lease) WHERE left_at = 0;
CREATE INDEX presence_connection_due ON presence_connection (due) WHERE due > 0;
CREATE INDEX presence_connection_left ON presence_connection (left_at) WHERE left_at > 0;

-- One row for each topic in use. Its row lock orders everything that happens in the topic. No index
-- but the key, so that Postgres can update a busy row in place.
CREATE TABLE presence_topic (
    topic TEXT NOT NULL PRIMARY KEY,
    members BIGINT NOT NULL,
    -- Grows with each coming and going of a member. It starts with the time of day, so that a topic
    -- that was forgotten doesn't repeat its versions.
    version BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Each member of a topic, with the number of connections that it is there by.
CREATE TABLE presence_member (
    topic TEXT NOT NULL,
    member TEXT NOT NULL,
    connections BIGINT NOT NULL,
    detail TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (topic, member)
);

-- Which connections count in which topics. Changed only while the topic's row is locked.
CREATE TABLE presence_entry (
    connection TEXT NOT NULL,
    topic TEXT NOT NULL,
    member TEXT NOT NULL,
    PRIMARY KEY (connection, topic)
);
CREATE INDEX presence_entry_member ON presence_entry (topic, member);

-- Where in a scope, a topic that it is in, a connection is: at one other topic, or at none. Changed
-- only while the connection or the scope's topic is locked. A row outlives its connection's being
-- counted out with its lease: if its gateway enters it again, it is back there.
CREATE TABLE presence_position (
    connection TEXT NOT NULL,
    scope TEXT NOT NULL,
    -- Empty: at none.
    topic TEXT NOT NULL,
    member TEXT NOT NULL,
    detail TEXT NOT NULL,
    -- Of the frame that said so: an earlier one that comes late finds it here.
    number BIGINT NOT NULL,
    -- 0 while the connection is in the scope, and so counts in the topic; since when it isn't otherwise.
    out_since BIGINT NOT NULL,
    PRIMARY KEY (connection, scope)
);
CREATE INDEX presence_position_member ON presence_position (scope, member) WHERE out_since = 0;
CREATE INDEX presence_position_out ON presence_position (out_since) WHERE out_since > 0;
