-- Documents that several people edit (Yjs): what is true of each as a whole. Its row lock orders its updates.
CREATE TABLE document (
    name TEXT PRIMARY KEY,
    -- Of its last update.
    last_number BIGINT NOT NULL,
    -- Up to which number updates have been compacted.
    compacted BIGINT NOT NULL,
    -- Of all its updates, and of those that have not been compacted.
    bytes BIGINT NOT NULL,
    loose_bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- The updates that make up a document, in any order that a client likes. Compaction replaces several
-- by one that says the same, under the last one's number.
CREATE TABLE document_update (
    document TEXT NOT NULL,
    -- 1, 2, 3, … of this document, with gaps where updates were compacted.
    number BIGINT NOT NULL,
    -- As Yjs encodes it (version 1).
    content BYTES NOT NULL,
    -- Which insertions, and which deletions, it contains: sets of ids, as Yjs encodes them. So what a
    -- client lacks is found without reading the contents.
    inserted BYTES NOT NULL,
    deleted BYTES NOT NULL,
    PRIMARY KEY (document, number)
);
