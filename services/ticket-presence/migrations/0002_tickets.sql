-- The last id given out of each kind, through all projects.
CREATE TABLE sequence (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO sequence (name, value) VALUES ('ticket', 0), ('comment', 0);

-- Each project in which something was written. Its row lock orders everything that is.
CREATE TABLE project (
    id TEXT PRIMARY KEY,
    -- The last ticket's number, and the last status's id, or 0.
    last_number BIGINT NOT NULL,
    last_status BIGINT NOT NULL
);

-- The statuses of such a project. The first in position is a new ticket's.
CREATE TABLE status (
    project_id TEXT NOT NULL,
    -- 1, 2, 3, … of this project.
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    color TEXT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);

CREATE TABLE ticket (
    id BIGINT PRIMARY KEY,
    project_id TEXT NOT NULL,
    -- 1, 2, 3, … of this project: what its key ends with.
    number BIGINT NOT NULL,
    -- What it was created by: a retry has the same.
    cause TEXT NOT NULL,
    title TEXT NOT NULL,
    -- The key and the title in lower case: what a search looks through.
    folded TEXT NOT NULL,
    description TEXT NOT NULL,
    status BIGINT NOT NULL,
    -- 1 (low) to 4 (urgent).
    priority BIGINT NOT NULL,
    -- A user and, as JSON objects, how clients see it; empty: nobody.
    assignee_id TEXT NOT NULL,
    assignee TEXT NOT NULL,
    reporter_id TEXT NOT NULL,
    reporter TEXT NOT NULL,
    -- A JSON array of texts.
    labels TEXT NOT NULL,
    -- 2026-01-31, or empty.
    due_date TEXT NOT NULL,
    comments BIGINT NOT NULL,
    -- Grows with each change of what stands above.
    version BIGINT NOT NULL,
    -- How many entries its activity log has.
    activities BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX ticket_number ON ticket (project_id, number);
CREATE UNIQUE INDEX ticket_cause ON ticket (project_id, cause);
CREATE INDEX ticket_updated ON ticket (project_id, updated_at, number);
CREATE INDEX ticket_status ON ticket (project_id, status);
CREATE INDEX ticket_assignee ON ticket (project_id, assignee_id);

-- The labels of tickets, to look for.
CREATE TABLE ticket_label (
    ticket_id BIGINT NOT NULL,
    label TEXT NOT NULL,
    PRIMARY KEY (ticket_id, label)
);

CREATE TABLE comment (
    id BIGINT PRIMARY KEY,
    ticket_id BIGINT NOT NULL,
    cause TEXT NOT NULL,
    author_id TEXT NOT NULL,
    author TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- 0: never.
    edited_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX comment_cause ON comment (ticket_id, cause);
CREATE INDEX comment_ticket ON comment (ticket_id, id);

-- What has happened to each ticket.
CREATE TABLE activity (
    ticket_id BIGINT NOT NULL,
    -- 1, 2, 3, … of this ticket.
    number BIGINT NOT NULL,
    action TEXT NOT NULL,
    -- JSON objects: who did it, and what.
    actor TEXT NOT NULL,
    detail TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (ticket_id, number)
);

-- Users as their tokens told them when they were last here: another issuer's users are known nowhere else.
CREATE TABLE person (
    user_id TEXT PRIMARY KEY,
    folded_username TEXT NOT NULL,
    person TEXT NOT NULL
);
CREATE INDEX person_username ON person (folded_username);
