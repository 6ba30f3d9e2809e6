-- Files that messages of conversations carry. Their contents are blobs.
CREATE TABLE attachment (
    id TEXT PRIMARY KEY,
    -- Who uploads it.
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    blob_key TEXT NOT NULL,
    -- 0: not looked at yet; 1: its content is what it is said to be; 2: it is something else.
    verdict BIGINT NOT NULL,
    -- The message that carries it, and where; 0: none does.
    message_id BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- When it is to be removed; 0: never.
    remove_at BIGINT NOT NULL,
    -- 1: its removal has begun, and nobody may carry it any more.
    removing BIGINT NOT NULL
);
CREATE INDEX attachment_message ON attachment (message_id);
CREATE INDEX attachment_user ON attachment (user_id, message_id);
CREATE INDEX attachment_remove ON attachment (remove_at);
