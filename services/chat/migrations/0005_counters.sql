CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL,
    -- How many updates were asked for. Each has its number, which names its event.
    updates BIGINT NOT NULL
);

-- Updates that may be repeated, by a gateway that asks again or under an Idempotency-Key.
CREATE TABLE counter_update (
    counter TEXT NOT NULL,
    cause TEXT NOT NULL,
    action TEXT NOT NULL,
    value BIGINT NOT NULL,
    -- The counter's value after it, and the offset of its event.
    total BIGINT NOT NULL,
    position BIGINT NOT NULL,
    forget_at BIGINT NOT NULL,
    PRIMARY KEY (counter, cause)
);
CREATE INDEX counter_update_forget ON counter_update (forget_at);
