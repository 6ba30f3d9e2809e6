-- One row for each life of each gateway that was heard of lately.
CREATE TABLE gateway (
    id TEXT PRIMARY KEY,
    -- Of the last report that is kept: an earlier one changes nothing.
    number BIGINT NOT NULL,
    host TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    -- Its last word, by the clock of who heard it.
    heard_at BIGINT NOT NULL,
    -- 1: it said that nothing follows.
    is_over BIGINT NOT NULL,
    -- 1: what it counted is part of the totals, and whatever it says later is not added.
    is_folded BIGINT NOT NULL
);
CREATE INDEX gateway_heard ON gateway (heard_at);

-- What each of those has counted since it started: as it said itself, so any replica writes the same.
CREATE TABLE traffic (
    gateway TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    transport TEXT NOT NULL,
    opened BIGINT NOT NULL,
    closed BIGINT NOT NULL,
    closed_milliseconds BIGINT NOT NULL,
    messages_received BIGINT NOT NULL,
    messages_sent BIGINT NOT NULL,
    bytes_received BIGINT NOT NULL,
    bytes_sent BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    PRIMARY KEY (gateway, endpoint, transport)
);

-- The sessions that were opened at each on a day (days since 1970-01-01, UTC).
CREATE TABLE traffic_day (
    gateway TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    transport TEXT NOT NULL,
    day BIGINT NOT NULL,
    opened BIGINT NOT NULL,
    PRIMARY KEY (gateway, endpoint, transport, day)
);

-- What gateways counted that are no longer kept apart.
CREATE TABLE total (
    endpoint TEXT NOT NULL,
    transport TEXT NOT NULL,
    opened BIGINT NOT NULL,
    closed BIGINT NOT NULL,
    closed_milliseconds BIGINT NOT NULL,
    messages_received BIGINT NOT NULL,
    messages_sent BIGINT NOT NULL,
    bytes_received BIGINT NOT NULL,
    bytes_sent BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    PRIMARY KEY (endpoint, transport)
);

CREATE TABLE total_day (
    endpoint TEXT NOT NULL,
    transport TEXT NOT NULL,
    day BIGINT NOT NULL,
    opened BIGINT NOT NULL,
    PRIMARY KEY (endpoint, transport, day)
);
