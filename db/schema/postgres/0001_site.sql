-- All records of a site. Digests, keys and batch ids are BLOBs; times are Unix seconds unless a
-- name says otherwise; enums are those of work-units/unit.h, db/work.h and db/publish.h.
-- Few indexes: each costs throughput once access is scattered. Why each is there is said with it.

-- The site and its servers ----------------------------------------------------------------------

CREATE TABLE site (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    project BYTEA,                       -- digest of keyring version 1; NULL before it
    incarnation BIGINT NOT NULL,       -- rises with each restore from a back-up
    restored_s BIGINT NOT NULL DEFAULT 0,  -- when it did last; 0: never
    created_s BIGINT NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE server (
    id BIGINT PRIMARY KEY,
    up_s BIGINT NOT NULL DEFAULT 0,    -- its up-time clock
    committed_s BIGINT NOT NULL DEFAULT 0,
    clock_refused BIGINT NOT NULL DEFAULT 0,
    work_mark BIGINT NOT NULL DEFAULT 0, -- what its bulletin says of work
    looks_restored BIGINT NOT NULL DEFAULT 0 -- the site's incarnation that hosts showed to be an older copy's
) WITH (fillfactor = 50);

-- Each server takes ids from blocks of its own, so that two never wait for each other's numbers.
-- Kinds: enum id_kind. A unit's id stays below 2^49: its tasks' ids are 16 times as large.
CREATE TABLE id_block (
    server BIGINT NOT NULL REFERENCES server (id),
    kind BIGINT NOT NULL,
    next BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (server, kind)
) WITH (fillfactor = 50);

INSERT INTO server (id) VALUES (1);
INSERT INTO id_block (server, kind, next, last)
    SELECT 1, kind, 1, (1::BIGINT << 40) - 1 FROM generate_series(1, 10) AS kind;

-- Append-only; readers hold one cursor per server.
CREATE TABLE journal (
    server BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    time_s BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    subject BIGINT NOT NULL,
    detail BIGINT NOT NULL,
    PRIMARY KEY (server, seq)
);

-- People and machines ---------------------------------------------------------------------------

CREATE TABLE organisation (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    state BIGINT NOT NULL,
    created_s BIGINT NOT NULL
);

CREATE TABLE volunteer (
    id BIGINT PRIMARY KEY,
    kind BIGINT NOT NULL,
    organisation BIGINT REFERENCES organisation (id),
    name TEXT NOT NULL,
    prefix TEXT UNIQUE,                 -- of kind prefix; else NULL
    created_s BIGINT NOT NULL
);

CREATE TABLE credential (
    id BIGINT PRIMARY KEY,
    kind BIGINT NOT NULL,
    role BIGINT NOT NULL,
    hash BYTEA NOT NULL UNIQUE,
    volunteer BIGINT REFERENCES volunteer (id),
    organisation BIGINT REFERENCES organisation (id),
    label TEXT NOT NULL,
    created_s BIGINT NOT NULL,
    expires_s BIGINT NOT NULL,         -- 0: never
    revoked_s BIGINT NOT NULL          -- 0: not
);

CREATE TABLE invite (
    id BIGINT PRIMARY KEY,
    organisation BIGINT NOT NULL REFERENCES organisation (id),
    hash BYTEA NOT NULL UNIQUE,
    label TEXT NOT NULL,
    max_hosts BIGINT NOT NULL,
    used_hosts BIGINT NOT NULL,
    with_accounts BIGINT NOT NULL,
    created_s BIGINT NOT NULL,
    expires_s BIGINT NOT NULL,
    revoked_s BIGINT NOT NULL
);

CREATE TABLE host (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    volunteer BIGINT NOT NULL REFERENCES volunteer (id),
    invite BIGINT REFERENCES invite (id),
    visit BIGINT NOT NULL,
    incarnation BIGINT NOT NULL,
    withdrawn BIGINT NOT NULL,
    enrolled_s BIGINT NOT NULL,
    seen_s BIGINT NOT NULL,
    seen_up_s BIGINT NOT NULL,          -- the same by the up-time clock
    credit BIGINT NOT NULL,
    agreed BIGINT NOT NULL,
    outvoted BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    key BYTEA NOT NULL UNIQUE,           -- enrolling again with it is the same host
    token BYTEA NOT NULL UNIQUE,         -- SHA-256 of its token
    visit_statement BYTEA,
    prefix TEXT NOT NULL,
    platform TEXT NOT NULL,
    client TEXT NOT NULL,
    refused_what BIGINT NOT NULL,      -- the last thing of the site's that it told of having refused:
    refused_code BIGINT NOT NULL,      -- a refusal's number,
    refused_s BIGINT NOT NULL,         -- when; 0: it never did
    refused_digest BYTEA,
    cores BIGINT NOT NULL DEFAULT 0,        -- what it offered at its last visit; 0: it never said
    memory_bytes BIGINT NOT NULL DEFAULT 0, -- to one task
    disk_bytes BIGINT NOT NULL DEFAULT 0,   -- likewise
    layers TEXT NOT NULL DEFAULT ''         -- isolation layers, a blank before and after each
) WITH (fillfactor = 70);

CREATE TABLE allowance (
    host BIGINT NOT NULL,
    app_version BIGINT NOT NULL,
    per_day BIGINT NOT NULL,
    day BIGINT NOT NULL,
    used BIGINT NOT NULL,
    pace BIGINT NOT NULL,
    usual_pace BIGINT NOT NULL,
    timed BIGINT NOT NULL,
    PRIMARY KEY (host, app_version)
) WITH (fillfactor = 70);

-- What is signed --------------------------------------------------------------------------------

CREATE TABLE keyring (
    version BIGINT PRIMARY KEY,
    digest BYTEA NOT NULL,
    root_change BIGINT NOT NULL,
    expires_s BIGINT NOT NULL,
    time_s BIGINT NOT NULL,
    envelope BYTEA NOT NULL
);

CREATE TABLE freshness (
    sequence BIGINT PRIMARY KEY,
    digest BYTEA NOT NULL,
    keyring_version BIGINT NOT NULL,
    expires_s BIGINT NOT NULL,
    time_s BIGINT NOT NULL,
    envelope BYTEA NOT NULL
);

CREATE TABLE notice (
    id BIGINT PRIMARY KEY,
    digest BYTEA NOT NULL UNIQUE,
    until_s BIGINT NOT NULL,
    time_s BIGINT NOT NULL,
    envelope BYTEA NOT NULL
);

-- Also of things that are not here, or not yet.
CREATE TABLE revoked (
    kind BIGINT NOT NULL,
    subject BYTEA NOT NULL,
    time_s BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);

CREATE TABLE app_version (
    id BIGINT PRIMARY KEY,
    digest BYTEA NOT NULL UNIQUE,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    memory_bytes BIGINT NOT NULL,
    disk_bytes BIGINT NOT NULL,
    time_s BIGINT NOT NULL,
    envelope BYTEA NOT NULL,
    UNIQUE (name, version)
);

CREATE TABLE variant (
    id BIGINT PRIMARY KEY,
    digest BYTEA NOT NULL UNIQUE,
    app_version BIGINT NOT NULL REFERENCES app_version (id),
    platform TEXT NOT NULL,
    class TEXT NOT NULL,
    runner TEXT NOT NULL,
    time_s BIGINT NOT NULL,
    envelope BYTEA NOT NULL
);

-- Files and small bodies ------------------------------------------------------------------------

-- On the disk, under their digest.
CREATE TABLE file (
    digest BYTEA PRIMARY KEY,
    size_bytes BIGINT NOT NULL,
    state BIGINT NOT NULL,             -- 1: stored durably
    time_s BIGINT NOT NULL
);

-- Inline outputs, in here.
CREATE TABLE body (
    digest BYTEA PRIMARY KEY,
    time_s BIGINT NOT NULL,
    bytes BYTEA NOT NULL
);

-- What a file or body is needed for; enum file_kind. No foreign key: it may be either.
CREATE TABLE file_reference (
    file BYTEA NOT NULL,
    kind BIGINT NOT NULL,
    subject BIGINT NOT NULL,
    PRIMARY KEY (file, kind, subject)
);

-- To release what a batch, variant or task needed. Accepted outputs (3) are many, and are released
-- one by one, by their digest.
CREATE INDEX file_reference_subject ON file_reference (kind, subject) WHERE kind <> 3;

-- Work ------------------------------------------------------------------------------------------

CREATE TABLE batch (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    public_id BYTEA NOT NULL UNIQUE,
    name TEXT NOT NULL,
    app_version BIGINT NOT NULL REFERENCES app_version (id),
    state BIGINT NOT NULL,
    closed BIGINT NOT NULL,
    why TEXT NOT NULL,
    priority BIGINT NOT NULL,
    weight BIGINT NOT NULL DEFAULT 1,
    needed_by_s BIGINT NOT NULL,
    created_s BIGINT NOT NULL,
    first_unit BIGINT NOT NULL,        -- least and greatest id of its units; 0 without any
    last_unit BIGINT NOT NULL,
    units BIGINT NOT NULL,
    units_accepted BIGINT NOT NULL,
    units_failed BIGINT NOT NULL,
    ended_tasks BIGINT NOT NULL,
    failed_tasks BIGINT NOT NULL,
    ended_hosts TEXT NOT NULL,          -- JSON array of host ids
    begun BIGINT NOT NULL DEFAULT 0,    -- acknowledged and not through yet: enum batch_begun
    retry_reopened BIGINT NOT NULL DEFAULT 0, -- what the last retry did: units that are tried again,
    retry_expired BIGINT NOT NULL DEFAULT 0,  -- and those that stay failed: not valid any more,
    retry_revoked BIGINT NOT NULL DEFAULT 0,  -- revoked,
    retry_spent BIGINT NOT NULL DEFAULT 0     -- or without a task left of those that are signed
) WITH (fillfactor = 50);

-- A name is taken as long as its batch is neither cancelled (5) nor finished (6).
CREATE UNIQUE INDEX batch_live_name ON batch (name) WHERE state < 5;

-- Small and hot; what only people and hosts read of a unit is in its manifest.
CREATE TABLE unit (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    state BIGINT NOT NULL,
    failure BIGINT NOT NULL,
    copies_wanted BIGINT NOT NULL,
    extra BIGINT NOT NULL DEFAULT 0,
    revision BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    app_version BIGINT NOT NULL,
    position BIGINT NOT NULL,          -- its index in the batch
    quorum BIGINT NOT NULL,
    copies BIGINT NOT NULL,
    max_failures BIGINT NOT NULL,
    max_tasks BIGINT NOT NULL,
    independence BIGINT NOT NULL,
    deadline_span_s BIGINT NOT NULL,
    declared_ops BIGINT NOT NULL,
    memory_bytes BIGINT NOT NULL,
    disk_bytes BIGINT NOT NULL,
    output_bytes BIGINT NOT NULL,      -- of all outputs together
    not_before_s BIGINT NOT NULL,
    not_after_s BIGINT NOT NULL,
    signer BIGINT NOT NULL,         -- whose signatures make it good: of its key, or a signer_set
    classes TEXT NOT NULL,
    platforms TEXT NOT NULL,
    pinned_class TEXT NOT NULL,
    digest BYTEA NOT NULL UNIQUE,
    UNIQUE (batch, position)
) WITH (fillfactor = 80);

-- What the number of several keys stands for that signed units together.
CREATE TABLE signer_set (
    number BIGINT NOT NULL,
    signer BIGINT NOT NULL,
    PRIMARY KEY (number, signer)
);

-- Those that have not ended (below 4: accepted), by the end of their validity.
CREATE INDEX unit_live ON unit (not_after_s) WHERE state < 4;

-- Those a person asks for, few among many.
CREATE INDEX unit_failed ON unit (batch, position) WHERE state = 5;

-- Names become folders where results are fetched to: each once in its batch.
CREATE TABLE manifest (
    unit BIGINT PRIMARY KEY,
    batch BIGINT NOT NULL,
    name TEXT NOT NULL,
    envelope BYTEA NOT NULL,
    UNIQUE (batch, name)
);

-- id = 16 * unit + its place among the unit's tasks: a unit's tasks lie together without an index.
CREATE TABLE task (
    id BIGINT PRIMARY KEY,
    state BIGINT NOT NULL,
    cause BIGINT NOT NULL,
    cause_detail BIGINT NOT NULL,
    host BIGINT NOT NULL,
    volunteer BIGINT NOT NULL, -- as all identity here: at dispatch
    organisation BIGINT NOT NULL,      -- without one: minus the volunteer
    server BIGINT NOT NULL,
    incarnation BIGINT NOT NULL,       -- of the host
    visit BIGINT NOT NULL,             -- of the host, that was granted it
    variant BIGINT NOT NULL,
    sent_s BIGINT NOT NULL,
    deadline_up_s BIGINT NOT NULL,
    deadline_s BIGINT NOT NULL,
    reported_s BIGINT NOT NULL,
    cpu_ms BIGINT NOT NULL,
    credit BIGINT NOT NULL,
    asked BIGINT NOT NULL,
    asked_up_s BIGINT NOT NULL,
    told BIGINT NOT NULL,
    live BIGINT NOT NULL,              -- its host's visits must look at it
    prefix TEXT NOT NULL,
    result BYTEA,
    outputs BYTEA                        -- db/outputs.h
) WITH (fillfactor = 70);

-- What a visit looks at: the host's own tasks, as long as there is something to say about them.
CREATE INDEX task_live ON task (host, id) WHERE live = 1;

-- The same of tasks: all that are neither out nor right (3: agreed).
CREATE INDEX task_odd ON task (state) WHERE state > 3;

-- Signed statements of finished tasks.
CREATE TABLE visit (
    id BIGINT PRIMARY KEY,
    host BIGINT NOT NULL,
    number BIGINT NOT NULL,
    time_s BIGINT NOT NULL,
    statement BYTEA NOT NULL
);

-- What the host's last visit was answered, but for the envelopes: a repeat gets the same.
CREATE TABLE answer (
    host BIGINT PRIMARY KEY,
    visit BIGINT NOT NULL,
    reply BYTEA NOT NULL                -- server/engine/packed_reply.h
);

CREATE TABLE report (
    task BIGINT PRIMARY KEY,
    visit BIGINT,
    exit_status BIGINT NOT NULL,
    wall_ms BIGINT NOT NULL,
    peak_memory_bytes BIGINT NOT NULL,
    why TEXT NOT NULL,
    stderr BYTEA NOT NULL
);

-- Which rule held on which tasks; kept for ever.
CREATE TABLE acceptance (
    unit BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    quorum BIGINT NOT NULL,
    independence BIGINT NOT NULL,
    time_s BIGINT NOT NULL,
    PRIMARY KEY (unit, revision)
);

CREATE TABLE acceptance_task (
    task BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (task, revision)
);

-- Ends and reopenings of a batch's units in journal order, so that fetching a small batch does not
-- read a large site's journal.
CREATE TABLE batch_result (
    batch BIGINT NOT NULL,
    server BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    unit BIGINT NOT NULL,
    detail BIGINT NOT NULL,
    time_s BIGINT NOT NULL,
    PRIMARY KEY (batch, server, seq)
);

-- How many there are of what: enum tally_kind. Counting a million rows for a progress bar is slow.
CREATE TABLE tally (
    batch BIGINT NOT NULL,             -- 0: of the site
    kind BIGINT NOT NULL,
    what BIGINT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (batch, kind, what)
) WITH (fillfactor = 50);
