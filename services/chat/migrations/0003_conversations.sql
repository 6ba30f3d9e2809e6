-- What a conversation was created by: a retry has the same, and is the same conversation. Empty: not known.
ALTER TABLE conversation ADD COLUMN cause TEXT NOT NULL DEFAULT '';
CREATE INDEX conversation_cause ON conversation (cause) WHERE cause <> '';
