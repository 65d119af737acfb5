-- All records of a site. Digests, keys and batch ids are BLOBs; times are Unix seconds unless a
-- name says otherwise; enums are those of work-units/unit.h, db/work.h and db/publish.h.
-- Few indexes: each costs throughput once access is scattered. Why each is there is said with it.

-- The site and its servers ----------------------------------------------------------------------

CREATE TABLE site (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    project BLOB,                       -- digest of keyring version 1; NULL before it
    incarnation INTEGER NOT NULL,       -- rises with each restore from a back-up
    restored_s INTEGER NOT NULL DEFAULT 0,  -- when it did last; 0: never
    created_s INTEGER NOT NULL
) STRICT;

CREATE TABLE server (
    id INTEGER PRIMARY KEY,
    up_s INTEGER NOT NULL DEFAULT 0,    -- its up-time clock
    committed_s INTEGER NOT NULL DEFAULT 0,
    clock_refused INTEGER NOT NULL DEFAULT 0,
    work_mark INTEGER NOT NULL DEFAULT 0, -- what its bulletin says of work
    looks_restored INTEGER NOT NULL DEFAULT 0 -- the site's incarnation that hosts showed to be an older copy's
) STRICT;

-- Each server takes ids from blocks of its own, so that two never wait for each other's numbers.
-- Kinds: enum id_kind. A unit's id stays below 2^49: its tasks' ids are 16 times as large.
CREATE TABLE id_block (
    server INTEGER NOT NULL REFERENCES server (id),
    kind INTEGER NOT NULL,
    next INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (server, kind)
) STRICT, WITHOUT ROWID;

INSERT INTO server (id) VALUES (1);
INSERT INTO id_block (server, kind, next, last)
    SELECT 1, value, 1, (1 << 40) - 1 FROM json_each('[1,2,3,4,5,6,7,8,9,10]');

-- Append-only; readers hold one cursor per server.
CREATE TABLE journal (
    server INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    time_s INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    detail INTEGER NOT NULL,
    PRIMARY KEY (server, seq)
) STRICT, WITHOUT ROWID;

-- People and machines ---------------------------------------------------------------------------

CREATE TABLE organisation (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    state INTEGER NOT NULL,
    created_s INTEGER NOT NULL
) STRICT;

CREATE TABLE volunteer (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    organisation INTEGER REFERENCES organisation (id),
    name TEXT NOT NULL,
    prefix TEXT UNIQUE,                 -- of kind prefix; else NULL
    created_s INTEGER NOT NULL
) STRICT;

CREATE TABLE credential (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    role INTEGER NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    volunteer INTEGER REFERENCES volunteer (id),
    organisation INTEGER REFERENCES organisation (id),
    label TEXT NOT NULL,
    created_s INTEGER NOT NULL,
    expires_s INTEGER NOT NULL,         -- 0: never
    revoked_s INTEGER NOT NULL          -- 0: not
) STRICT;

CREATE TABLE invite (
    id INTEGER PRIMARY KEY,
    organisation INTEGER NOT NULL REFERENCES organisation (id),
    hash BLOB NOT NULL UNIQUE,
    label TEXT NOT NULL,
    max_hosts INTEGER NOT NULL,
    used_hosts INTEGER NOT NULL,
    with_accounts INTEGER NOT NULL,
    created_s INTEGER NOT NULL,
    expires_s INTEGER NOT NULL,
    revoked_s INTEGER NOT NULL
) STRICT;

CREATE TABLE host (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    volunteer INTEGER NOT NULL REFERENCES volunteer (id),
    invite INTEGER REFERENCES invite (id),
    visit INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL,
    enrolled_s INTEGER NOT NULL,
    seen_s INTEGER NOT NULL,
    seen_up_s INTEGER NOT NULL,         -- the same by the up-time clock
    credit INTEGER NOT NULL,
    agreed INTEGER NOT NULL,
    outvoted INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    key BLOB NOT NULL UNIQUE,           -- enrolling again with it is the same host
    token BLOB NOT NULL UNIQUE,         -- SHA-256 of its token
    visit_statement BLOB,
    prefix TEXT NOT NULL,
    platform TEXT NOT NULL,
    client TEXT NOT NULL,
    refused_what INTEGER NOT NULL,      -- the last thing of the site's that it told of having refused:
    refused_code INTEGER NOT NULL,      -- a refusal's number,
    refused_s INTEGER NOT NULL,         -- when; 0: it never did
    refused_digest BLOB,
    cores INTEGER NOT NULL DEFAULT 0,        -- what it offered at its last visit; 0: it never said
    memory_bytes INTEGER NOT NULL DEFAULT 0, -- to one task
    disk_bytes INTEGER NOT NULL DEFAULT 0,   -- likewise
    layers TEXT NOT NULL DEFAULT ''          -- isolation layers, a blank before and after each
) STRICT;

CREATE TABLE allowance (
    host INTEGER NOT NULL REFERENCES host (id),
    app_version INTEGER NOT NULL REFERENCES app_version (id),
    per_day INTEGER NOT NULL,
    day INTEGER NOT NULL,
    used INTEGER NOT NULL,
    pace INTEGER NOT NULL,              -- millionths of the declared time; 0: not known
    usual_pace INTEGER NOT NULL,        -- the same of most of its tasks, however long the few are
    timed INTEGER NOT NULL,             -- tasks that they were learned from
    PRIMARY KEY (host, app_version)
) STRICT, WITHOUT ROWID;

-- What is signed --------------------------------------------------------------------------------

CREATE TABLE keyring (
    version INTEGER PRIMARY KEY,
    digest BLOB NOT NULL,
    root_change INTEGER NOT NULL,
    expires_s INTEGER NOT NULL,
    time_s INTEGER NOT NULL,
    envelope BLOB NOT NULL
) STRICT;

CREATE TABLE freshness (
    sequence INTEGER PRIMARY KEY,
    digest BLOB NOT NULL,
    keyring_version INTEGER NOT NULL,
    expires_s INTEGER NOT NULL,
    time_s INTEGER NOT NULL,
    envelope BLOB NOT NULL
) STRICT;

CREATE TABLE notice (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    until_s INTEGER NOT NULL,
    time_s INTEGER NOT NULL,
    envelope BLOB NOT NULL
) STRICT;

-- Also of things that are not here, or not yet.
CREATE TABLE revoked (
    kind INTEGER NOT NULL,
    subject BLOB NOT NULL,
    time_s INTEGER NOT NULL,
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE app_version (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    memory_bytes INTEGER NOT NULL,
    disk_bytes INTEGER NOT NULL,
    time_s INTEGER NOT NULL,
    envelope BLOB NOT NULL,
    UNIQUE (name, version)
) STRICT;

CREATE TABLE variant (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    app_version INTEGER NOT NULL REFERENCES app_version (id),
    platform TEXT NOT NULL,
    class TEXT NOT NULL,
    runner TEXT NOT NULL,
    time_s INTEGER NOT NULL,
    envelope BLOB NOT NULL
) STRICT;

-- Files and small bodies ------------------------------------------------------------------------

-- On the disk, under their digest.
CREATE TABLE file (
    digest BLOB PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    state INTEGER NOT NULL,             -- 1: stored durably
    time_s INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Inline outputs, in here.
CREATE TABLE body (
    digest BLOB PRIMARY KEY,
    time_s INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What a file or body is needed for; enum file_kind. No foreign key: it may be either.
CREATE TABLE file_reference (
    file BLOB NOT NULL,
    kind INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    PRIMARY KEY (file, kind, subject)
) STRICT, WITHOUT ROWID;

-- To release what a batch, variant or task needed. Accepted outputs (3) are many, and are released
-- one by one, by their digest.
CREATE INDEX file_reference_subject ON file_reference (kind, subject) WHERE kind <> 3;

-- Work ------------------------------------------------------------------------------------------

CREATE TABLE batch (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    public_id BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    app_version INTEGER NOT NULL REFERENCES app_version (id),
    state INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    why TEXT NOT NULL,
    priority INTEGER NOT NULL,
    weight INTEGER NOT NULL DEFAULT 1,
    needed_by_s INTEGER NOT NULL,
    created_s INTEGER NOT NULL,
    first_unit INTEGER NOT NULL,        -- least and greatest id of its units; 0 without any
    last_unit INTEGER NOT NULL,
    units INTEGER NOT NULL,
    units_accepted INTEGER NOT NULL,
    units_failed INTEGER NOT NULL,
    ended_tasks INTEGER NOT NULL,
    failed_tasks INTEGER NOT NULL,
    ended_hosts TEXT NOT NULL,          -- JSON array of host ids
    begun INTEGER NOT NULL DEFAULT 0,   -- acknowledged and not through yet: enum batch_begun
    retry_reopened INTEGER NOT NULL DEFAULT 0, -- what the last retry did: units that are tried again,
    retry_expired INTEGER NOT NULL DEFAULT 0,  -- and those that stay failed: not valid any more,
    retry_revoked INTEGER NOT NULL DEFAULT 0,  -- revoked,
    retry_spent INTEGER NOT NULL DEFAULT 0     -- or without a task left of those that are signed
) STRICT;

-- A name is taken as long as its batch is neither cancelled (5) nor finished (6).
CREATE UNIQUE INDEX batch_live_name ON batch (name) WHERE state < 5;

-- Small and hot; what only people and hosts read of a unit is in its manifest.
CREATE TABLE unit (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    state INTEGER NOT NULL,
    failure INTEGER NOT NULL,
    copies_wanted INTEGER NOT NULL,
    extra INTEGER NOT NULL DEFAULT 0,   -- of these, beyond what the agreement needs
    revision INTEGER NOT NULL,
    batch INTEGER NOT NULL REFERENCES batch (id),
    app_version INTEGER NOT NULL REFERENCES app_version (id),
    position INTEGER NOT NULL,          -- its index in the batch
    quorum INTEGER NOT NULL,
    copies INTEGER NOT NULL,
    max_failures INTEGER NOT NULL,
    max_tasks INTEGER NOT NULL,
    independence INTEGER NOT NULL,
    deadline_span_s INTEGER NOT NULL,
    declared_ops INTEGER NOT NULL,
    memory_bytes INTEGER NOT NULL,
    disk_bytes INTEGER NOT NULL,
    output_bytes INTEGER NOT NULL,      -- of all outputs together
    not_before_s INTEGER NOT NULL,
    not_after_s INTEGER NOT NULL,
    signer INTEGER NOT NULL,        -- whose signatures make it good: of its key, or a signer_set
    classes TEXT NOT NULL,
    platforms TEXT NOT NULL,
    pinned_class TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    UNIQUE (batch, position)
) STRICT;

-- What the number of several keys stands for that signed units together.
CREATE TABLE signer_set (
    number INTEGER NOT NULL,
    signer INTEGER NOT NULL,
    PRIMARY KEY (number, signer)
) STRICT, WITHOUT ROWID;

-- Those that have not ended (below 4: accepted), by the end of their validity.
CREATE INDEX unit_live ON unit (not_after_s) WHERE state < 4;

-- Those a person asks for, few among many.
CREATE INDEX unit_failed ON unit (batch, position) WHERE state = 5;

-- Names become folders where results are fetched to: each once in its batch.
CREATE TABLE manifest (
    unit INTEGER PRIMARY KEY REFERENCES unit (id),
    batch INTEGER NOT NULL,
    name TEXT NOT NULL,
    envelope BLOB NOT NULL,
    UNIQUE (batch, name)
) STRICT;

-- id = 16 * unit + its place among the unit's tasks: a unit's tasks lie together without an index.
CREATE TABLE task (
    id INTEGER PRIMARY KEY,
    state INTEGER NOT NULL,
    cause INTEGER NOT NULL,
    cause_detail INTEGER NOT NULL,
    host INTEGER NOT NULL REFERENCES host (id),
    volunteer INTEGER NOT NULL REFERENCES volunteer (id), -- as all identity here: at dispatch
    organisation INTEGER NOT NULL,      -- without one: minus the volunteer
    server INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,       -- of the host
    visit INTEGER NOT NULL,             -- of the host, that was granted it
    variant INTEGER NOT NULL REFERENCES variant (id),
    sent_s INTEGER NOT NULL,
    deadline_up_s INTEGER NOT NULL,
    deadline_s INTEGER NOT NULL,
    reported_s INTEGER NOT NULL,
    cpu_ms INTEGER NOT NULL,
    credit INTEGER NOT NULL,
    asked INTEGER NOT NULL,
    asked_up_s INTEGER NOT NULL,
    told INTEGER NOT NULL,
    live INTEGER NOT NULL,              -- its host's visits must look at it
    prefix TEXT NOT NULL,
    result BLOB,
    outputs BLOB                        -- db/outputs.h
) STRICT;

-- What a visit looks at: the host's own tasks, as long as there is something to say about them.
CREATE INDEX task_live ON task (host) WHERE live = 1;

-- The same of tasks: all that are neither out nor right (3: agreed).
CREATE INDEX task_odd ON task (state) WHERE state > 3;

-- Signed statements of finished tasks.
CREATE TABLE visit (
    id INTEGER PRIMARY KEY,
    host INTEGER NOT NULL REFERENCES host (id),
    number INTEGER NOT NULL,
    time_s INTEGER NOT NULL,
    statement BLOB NOT NULL
) STRICT;

-- What the host's last visit was answered, but for the envelopes: a repeat gets the same.
CREATE TABLE answer (
    host INTEGER PRIMARY KEY REFERENCES host (id),
    visit INTEGER NOT NULL,
    reply BLOB NOT NULL                 -- server/engine/packed_reply.h
) STRICT;

CREATE TABLE report (
    task INTEGER PRIMARY KEY REFERENCES task (id),
    visit INTEGER REFERENCES visit (id),
    exit_status INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    peak_memory_bytes INTEGER NOT NULL,
    why TEXT NOT NULL,
    stderr BLOB NOT NULL
) STRICT;

-- Which rule held on which tasks; kept for ever.
CREATE TABLE acceptance (
    unit INTEGER NOT NULL REFERENCES unit (id),
    revision INTEGER NOT NULL,
    quorum INTEGER NOT NULL,
    independence INTEGER NOT NULL,
    time_s INTEGER NOT NULL,
    PRIMARY KEY (unit, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE acceptance_task (
    task INTEGER NOT NULL REFERENCES task (id),
    revision INTEGER NOT NULL,
    PRIMARY KEY (task, revision)
) STRICT, WITHOUT ROWID;

-- Ends and reopenings of a batch's units in journal order, so that fetching a small batch does not
-- read a large site's journal.
CREATE TABLE batch_result (
    batch INTEGER NOT NULL REFERENCES batch (id),
    server INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    unit INTEGER NOT NULL REFERENCES unit (id),
    detail INTEGER NOT NULL,
    time_s INTEGER NOT NULL,
    PRIMARY KEY (batch, server, seq)
) STRICT, WITHOUT ROWID;

-- How many there are of what: enum tally_kind. Counting a million rows for a progress bar is slow.
CREATE TABLE tally (
    batch INTEGER NOT NULL,             -- 0: of the site
    kind INTEGER NOT NULL,
    what INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (batch, kind, what)
) STRICT, WITHOUT ROWID;
