-- The event log of one service.

-- The identity of this log: offsets of two epochs don't compare. One row.
CREATE TABLE log (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL
);

-- One counter for each channel. Its row lock is what makes commit order equal offset order.
-- No index but the key, so that Postgres can update a busy counter in place.
CREATE TABLE channel (
    name TEXT NOT NULL PRIMARY KEY,
    -- The last offset that was given out.
    head BIGINT NOT NULL,
    -- The lowest offset that the log still holds; head + 1 if it holds none.
    first BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE event (
    channel TEXT NOT NULL,
    position BIGINT NOT NULL,
    cause TEXT NOT NULL,
    at BIGINT NOT NULL,
    except_connection TEXT NOT NULL,
    -- A carillon.v1.Event with nothing but its variants.
    variants BYTES NOT NULL,
    PRIMARY KEY (channel, position)
);

CREATE UNIQUE INDEX event_cause ON event (channel, cause);
CREATE INDEX event_at ON event (at);
