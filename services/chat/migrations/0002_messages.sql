-- The last number given out of each kind: messages and conversations. Its row lock makes ids of
-- messages follow the order in which they are committed.
CREATE TABLE sequence (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO sequence (name, value) VALUES ('message', 0), ('conversation', 0);

-- Messages of chat rooms and of conversations.
CREATE TABLE message (
    id BIGINT PRIMARY KEY,
    -- `room.general`, `conversation.12`
    channel TEXT NOT NULL,
    -- The offset of the event that told of it.
    position BIGINT NOT NULL,
    -- What it follows from: a retry has the same.
    cause TEXT NOT NULL,
    -- Empty for anonymous clients and back ends.
    user_id TEXT NOT NULL,
    -- A JSON object: the author as clients see it.
    author TEXT NOT NULL,
    message_type TEXT NOT NULL,
    -- Empty once it is deleted.
    body TEXT NOT NULL,
    -- The body in lower case, in conversations: what a search looks through.
    folded TEXT NOT NULL,
    -- 0: no reply.
    reply_to BIGINT NOT NULL,
    -- A JSON array, as clients see it.
    attachments TEXT NOT NULL,
    -- The client's own id, or empty.
    client_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- 0: never.
    edited_at BIGINT NOT NULL,
    -- 0: it is there. What is deleted leaves this row as its tombstone.
    deleted_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX message_cause ON message (channel, cause);
CREATE INDEX message_channel ON message (channel, id);
CREATE INDEX message_created ON message (created_at);

-- What messages said before they were edited or deleted.
CREATE TABLE message_edit (
    message_id BIGINT NOT NULL,
    -- 1, 2, 3, … of this message.
    number BIGINT NOT NULL,
    body TEXT NOT NULL,
    -- When that was said no longer, and who saw to it.
    replaced_at BIGINT NOT NULL,
    replaced_by TEXT NOT NULL,
    PRIMARY KEY (message_id, number)
);

CREATE TABLE reaction (
    message_id BIGINT NOT NULL,
    emoji TEXT NOT NULL,
    user_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (message_id, emoji, user_id)
);

CREATE TABLE conversation (
    id BIGINT PRIMARY KEY,
    -- Empty: it has none.
    name TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- The last message's id, or 0, and when something last happened: the order of lists.
    last_message BIGINT NOT NULL,
    active_at BIGINT NOT NULL
);

CREATE TABLE participant (
    conversation_id BIGINT NOT NULL,
    user_id TEXT NOT NULL,
    -- A JSON object: the user as clients see it, as of the last token; only the id until then.
    person TEXT NOT NULL,
    joined_at BIGINT NOT NULL,
    -- The last message that the user has read, or 0, and when.
    read_up_to BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (conversation_id, user_id)
);
CREATE INDEX participant_user ON participant (user_id);
