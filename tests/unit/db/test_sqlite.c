/* The SQLite back-end: what only it can be asked. All or nothing, power cuts, full disks, versions
 * of the schema. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.h"
#include "db/sqlite/migrate.h"
#include "db/sqlite/store.h"
#include "tests/support/site_work.h"

static struct test_site site;
static sqlite3 *db; /* the test's own view of what is stored */
static char folder[] = "/tmp/dugnad-db-XXXXXX";
static char path[64];
static struct error err;

static void open_view(void)
{
    cr_assert(
        zero(int, sqlite3_open_v2(site.path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL)));
}

static void close_view(void)
{
    (void)sqlite3_close(db);
    db = NULL;
}

static void change(const char *sql)
{
    cr_assert(zero(int, sqlite3_exec(db, sql, NULL, NULL, NULL)), "%s: %s", sql,
              sqlite3_errmsg(db));
}

static int64_t stored(const char *sql)
{
    sqlite3_stmt *row = NULL;
    int64_t value;

    cr_assert(zero(int, sqlite3_prepare_v2(db, sql, -1, &row, NULL)), "%s", sqlite3_errmsg(db));
    cr_assert(eq(int, sqlite3_step(row), SQLITE_ROW));
    value = sqlite3_column_int64(row, 0);
    cr_assert(zero(int, sqlite3_finalize(row)));
    return value;
}

static void complain(void *context, const char *complaint)
{
    (void)context;
    cr_log_error("%s", complaint);
}

static int64_t faults(void)
{
    const struct store_check how = {.say = complain};
    int64_t count = -1;

    cr_assert(eq(int, (int)site.store->check(site.store, &how, &count, &err), STATUS_OK), "%s",
              err.detail);
    return count;
}

static void make_folder(void)
{
    cr_assert(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof path, "%s/site.db", folder);
}

static void remove_folder(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    char name[80];

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, ends[i]);
        (void)unlink(name);
    }
    (void)rmdir(folder);
}

/* --- all or nothing --------------------------------------------------------------------------- */

static void open_in_memory(void)
{
    site_open(&site, NULL);
    site_send(&site, 0, 0);
    site_send(&site, 0, 1);
    site_report(&site, 0, 0, "42\n");
    site_send(&site, 1, 2);
    open_view();
}

static void close_all(void)
{
    close_view();
    site_close(&site);
}

TestSuite(whole, .init = open_in_memory, .fini = close_all);

/* A cycle that writes to every table a cycle can write to. */
static void decide(struct work_set *set)
{
    struct acceptance acceptance = {.unit = site.units[0],
                                    .revision = 1,
                                    .quorum = 2,
                                    .time_s = 9,
                                    .independence = INDEPENDENCE_VOLUNTEER,
                                    .task_count = 2};
    struct unit *unit = work_unit(set, site.units[0]), *other = work_unit(set, site.units[1]);
    struct batch *batch = work_batch(set, site.batch);
    struct allowance *allowance = work_allowance(set, site.hosts[1], site.app_version);
    struct host *joined = work_add_host(set);
    struct task *task = &unit->tasks[1];

    *joined = (struct host){.key = site_key(70),
                            .token = site_digest(71),
                            .incarnation = 1,
                            .volunteer = site.volunteers[0],
                            .kind = HOST_NATIVE};
    work_host(set, site.hosts[1])->is_changed = true;
    allowance->per_day = 4;
    allowance->is_changed = true;
    task->output_count = 1;
    task->outputs = must_alloc(1, sizeof *task->outputs);
    task->outputs[0] = unit->tasks[0].outputs[0];
    task->outputs[0].name = text_copy(task->outputs[0].name);
    task->result = unit->tasks[0].result;
    unit->state = UNIT_ACCEPTED;
    unit->revision = 1;
    for (size_t i = 0; i < 2; i++) {
        unit->tasks[i].state = TASK_AGREED;
        unit->tasks[i].is_asked = true;
        unit->tasks[i].is_changed = true;
        acceptance.tasks[i] = unit->tasks[i].id;
    }
    batch->units_accepted++;
    batch->is_changed = true;
    other->tasks[other->task_count++] =
        (struct task){.state = TASK_SENT,
                      .variant = site.variant_digest,
                      .prefix = text_copy("p"),
                      .at_dispatch = {.host = site.hosts[0],
                                      .volunteer = site.volunteers[0],
                                      .organisation = -site.volunteers[0]}};
    other->copies_wanted--;
    work_add_acceptance(set, acceptance);
    work_add_visit(
        set, (struct visit_record){
                 .host = site.hosts[1], .number = 5, .statement = "s", .statement_length = 1});
    work_add_report(set, (struct report_record){.task = task->id, .visit = 5, .why = ""});
    work_add_body(set,
                  (struct body_record){.digest = digest_of("new", 3), .bytes = "new", .length = 3});
    work_add_journal(
        set, (struct journal_entry){
                 .time_s = 9, .kind = JOURNAL_UNIT_ACCEPTED, .subject = unit->id, .detail = 1});
}

static enum status try_cycle(void)
{
    const struct work_request request = {
        .units = site.units, .unit_count = 2, .hosts = site.hosts, .host_count = 3};
    CLEANUP(txn_end) struct txn txn = {0};
    CLEANUP(work_set_clear) struct work_set set = {0};
    enum status status;

    cr_assert(eq(int, (int)txn_begin(&txn, site.store, &err), STATUS_OK));
    cr_assert(eq(int, (int)site.store->work->load(site.store, &request, &set, &err), STATUS_OK));
    decide(&set);
    status = site.store->work->save(site.store, &set, &err);
    return status == STATUS_OK ? txn_commit(&txn, &err) : status;
}

/* All bytes of the database in memory, as one number. */
static struct digest content(void)
{
    sqlite3_int64 size = 0;
    unsigned char *bytes = sqlite3_serialize(db, "main", &size, 0);
    struct digest digest;

    cr_assert(bytes != NULL);
    digest = digest_of(bytes, (size_t)size);
    sqlite3_free(bytes);
    return digest;
}

Test(whole, a_cycle_that_fails_at_any_write_stores_nothing)
{
    static const char *const writes[] = {
        "INSERT ON host",           "UPDATE ON host",
        "INSERT ON allowance",      "UPDATE ON unit",
        "UPDATE ON task",           "INSERT ON task",
        "UPDATE ON tally",          "INSERT ON tally",
        "UPDATE ON batch",          "INSERT ON visit",
        "INSERT ON report",         "INSERT ON body",
        "INSERT ON acceptance",     "INSERT ON journal",
        "INSERT ON batch_result",   "INSERT ON acceptance_task",
        "INSERT ON file_reference", "UPDATE ON id_block",
    };

    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        struct digest before, after;
        char sql[200];

        (void)snprintf(sql, sizeof sql,
                       "CREATE TRIGGER fault BEFORE %s BEGIN SELECT RAISE(ABORT, 'injected'); END",
                       writes[i]);
        change(sql);
        before = content();
        cr_expect(eq(int, (int)try_cycle(), STATUS_STORAGE), "%s", writes[i]);
        after = content();
        cr_expect(digest_equals(&before, &after), "%s", writes[i]);
        change("DROP TRIGGER fault");
    }
    cr_assert(eq(int, (int)try_cycle(), STATUS_OK), "%s", err.detail);
    cr_expect(eq(i64, stored("SELECT count(*) FROM acceptance_task"), 2));
    cr_expect(eq(i64, stored("SELECT count(*) FROM host"), 4));
}

static enum status try_units(void)
{
    static const struct digest input = {.bytes = {7}};
    const struct unit unit = {
        .digest = site_digest(500),
        .index = 500,
        .rule = {.quorum = 1, .copies = 1, .max_tasks = 1, .independence = INDEPENDENCE_HOST}};
    struct unit_record record = {.unit = &unit,
                                 .name = "x",
                                 .inputs = &input,
                                 .input_count = 1,
                                 .envelope = {.bytes = "e", .length = 1}};
    const struct file_record file = {.digest = input, .size_bytes = 3, .time_s = 1};
    const struct publish_ops *publish = site.store->publish;
    CLEANUP(txn_end) struct txn txn = {0};
    bool is_new;
    size_t added;

    cr_assert(eq(int, (int)txn_begin(&txn, site.store, &err), STATUS_OK));
    TRY(publish->file_add(site.store, &file, &is_new, &err));
    TRY(publish->units_add(site.store, site.batch, &record, 1, &added, &err));
    return txn_commit(&txn, &err);
}

Test(whole, a_slice_of_units_that_fails_at_any_write_stores_nothing)
{
    static const char *const writes[] = {
        "INSERT ON file",  "INSERT ON unit",  "INSERT ON manifest", "INSERT ON file_reference",
        "UPDATE ON batch", "UPDATE ON tally", "UPDATE ON id_block",
    };

    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        struct digest before, after;
        char sql[200];

        (void)snprintf(sql, sizeof sql,
                       "CREATE TRIGGER fault BEFORE %s BEGIN SELECT RAISE(ABORT, 'injected'); END",
                       writes[i]);
        change(sql);
        before = content();
        cr_expect(eq(int, (int)try_units(), STATUS_STORAGE), "%s", writes[i]);
        after = content();
        cr_expect(digest_equals(&before, &after), "%s", writes[i]);
        change("DROP TRIGGER fault");
    }
    cr_assert(eq(int, (int)try_units(), STATUS_OK), "%s", err.detail);
}

Test(whole, a_writer_that_is_already_there_is_said_to_be_busy)
{
    CLEANUP(txn_end) struct txn txn = {0};

    (void)sqlite3_busy_timeout(sqlite_of(site.store)->db, 10);
    change("BEGIN IMMEDIATE");
    cr_expect(eq(int, (int)txn_begin(&txn, site.store, &err), STATUS_BUSY));
    change("ROLLBACK");
    cr_expect(eq(int, (int)txn_begin(&txn, site.store, &err), STATUS_OK));
}

/* --- on a disk -------------------------------------------------------------------------------- */

static void open_on_disk(void)
{
    make_folder();
    site_open(&site, &(struct site_plan){.path = path});
    open_view();
}

static void close_on_disk(void)
{
    close_all();
    remove_folder();
}

TestSuite(disk, .init = open_on_disk, .fini = close_on_disk);

Test(disk, it_writes_ahead_and_waits_for_the_disk)
{
    sqlite3 *own = sqlite_of(site.store)->db, *view = db;

    cr_expect(eq(i64, stored("SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1));
    db = own; /* these two are of a connection */
    cr_expect(eq(i64, stored("SELECT synchronous FROM pragma_synchronous"), 2));
    cr_expect(eq(i64, stored("SELECT foreign_keys FROM pragma_foreign_keys"), 1));
    db = view;
}

/* A process that ends without closing anything, in the middle of its second transaction. */
static void write_and_die(void)
{
    const struct unit unit = {.digest = site_digest(501), .index = 501};
    struct unit_record record = {.unit = &unit, .name = "lost"};
    struct txn txn = {0};
    size_t added;

    site.store = site_connect(&site);
    site_add_units(&site, site.batch, 700, 1, NULL, NULL);
    if (txn_begin(&txn, site.store, NULL) != STATUS_OK ||
        site.store->publish->units_add(site.store, site.batch, &record, 1, &added, NULL) !=
            STATUS_OK)
        _exit(1);
    _exit(0);
}

Test(disk, after_a_crash_what_was_committed_is_there_and_nothing_else)
{
    int state = -1;
    pid_t child;

    site_play(&site);
    close_all(); /* SQLite's locks must not be taken along into another process */
    child = fork();
    if (child == 0)
        write_and_die();
    cr_assert(eq(int, waitpid(child, &state, 0), child));
    cr_assert(zero(int, state));

    site.store = site_connect(&site);
    open_view();
    cr_expect(eq(i64, stored("SELECT count(*) FROM unit"), 3));
    cr_expect(zero(i64, stored("SELECT count(*) FROM manifest WHERE name = 'lost'")));
    cr_expect(zero(i64, faults()));
    site_add_units(&site, site.batch, 800, 1, NULL, NULL);
}

/* The limit is of a connection: of the store's own. */
static void limit_pages(struct store *store, int64_t pages)
{
    char sql[64];

    (void)snprintf(sql, sizeof sql, "PRAGMA max_page_count = %lld", (long long)pages);
    cr_assert(zero(int, sqlite3_exec(sqlite_of(store)->db, sql, NULL, NULL, NULL)));
}

/* As many units as fit, then no more; and what is there stays whole and can be read. */
Test(disk, a_full_disk_is_said_so_and_harms_nothing)
{
    enum status status = STATUS_OK;
    struct store *small = NULL;
    int64_t units;
    struct unit_record record;
    struct unit unit = {
        .rule = {.quorum = 1, .copies = 1, .max_tasks = 1, .independence = INDEPENDENCE_HOST},
        .not_after_s = 1};
    static char envelope[4000];

    site_play(&site);
    close_all();
    site.store = small = site_connect(&site);
    open_view();
    limit_pages(small, stored("SELECT page_count FROM pragma_page_count") + 40);
    for (int i = 0; i < 1000 && status == STATUS_OK; i++) {
        CLEANUP(txn_end) struct txn txn = {0};
        char name[32];
        size_t added;

        (void)snprintf(name, sizeof name, "big-%d", i);
        unit.digest = site_digest(600 + (uint64_t)i);
        unit.index = 600 + i;
        record = (struct unit_record){.unit = &unit,
                                      .name = name,
                                      .envelope = {.bytes = envelope, .length = sizeof envelope}};
        cr_assert(eq(int, (int)txn_begin(&txn, small, &err), STATUS_OK));
        status = small->publish->units_add(small, site.batch, &record, 1, &added, &err);
        if (status == STATUS_OK)
            status = txn_commit(&txn, &err);
    }
    cr_expect(eq(int, (int)status, STATUS_FULL), "%s", err.detail);
    units = stored("SELECT count(*) FROM unit");
    cr_expect(ge(i64, units, 3));
    cr_expect(zero(i64, faults()));
    limit_pages(small, 1 << 20);
    site_add_units(&site, site.batch, 5000, 1, NULL, NULL);
    cr_expect(eq(i64, stored("SELECT count(*) FROM unit"), units + 1));
}

Test(disk, a_database_of_a_newer_version_is_refused_in_words)
{
    struct store *store = NULL;

    change("INSERT INTO migration VALUES (999, 'from the future')");
    cr_expect(eq(int, (int)store_open_sqlite(path, &store, &err), STATUS_CONFLICT));
    cr_expect(ne(ptr, strstr(err.text, "version 999"), NULL), "%s", err.text);
    cr_expect(eq(ptr, store, NULL));
    change("DELETE FROM migration WHERE version = 999");
}

Test(disk, a_file_that_is_no_database_is_refused)
{
    struct store *store = NULL;
    char name[80];
    FILE *file;

    (void)snprintf(name, sizeof name, "%s/other", folder);
    file = fopen(name, "w");
    cr_assert(ne(ptr, file, NULL));
    for (int i = 0; i < 1000; i++)
        (void)fputs("this is no database\n", file);
    (void)fclose(file);
    cr_expect(eq(int, (int)store_open_sqlite(name, &store, &err), STATUS_STORAGE));
    (void)unlink(name);
    cr_expect(eq(int, (int)store_open_sqlite("/no/such/folder/db", &store, &err), STATUS_STORAGE));
}

/* --- migrations ------------------------------------------------------------------------------- */

static void open_empty(void)
{
    make_folder();
    (void)snprintf(site.path, sizeof site.path, "%s", path);
    cr_assert(zero(int, sqlite3_open(path, &db)));
    (void)sqlite3_extended_result_codes(db, 1);
}

static void close_empty(void)
{
    close_view();
    remove_folder();
}

TestSuite(migrations, .init = open_empty, .fini = close_empty);

static const char *const first[] = {"CREATE TABLE a (x);\n", "INSERT INTO a VALUES ('it''s');\n",
                                    NULL};
static const char *const second[] = {"ALTER TABLE a ADD COLUMN y;\n", NULL};
static const char *const broken[] = {"ALTER TABLE a ADD COLUMN y;\n",
                                     "INSERT INTO none VALUES (1);\n", NULL};

Test(migrations, each_step_is_taken_once_and_in_order)
{
    const struct migration steps[] = {{"0001_a", first}, {"0002_b", second}};

    cr_assert(eq(int, (int)migrate(db, steps, 1, &err), STATUS_OK), "%s", err.detail);
    cr_assert(eq(int, (int)migrate(db, steps, 2, &err), STATUS_OK), "%s", err.detail);
    cr_assert(eq(int, (int)migrate(db, steps, 2, &err), STATUS_OK), "%s", err.detail);
    cr_expect(eq(i64, stored("SELECT count(*) FROM a WHERE y IS NULL"), 1));
    cr_expect(eq(i64, stored("SELECT count(*) FROM migration"), 2));
    cr_expect(eq(int, (int)migrate(db, steps, 1, &err), STATUS_CONFLICT), "newer than one step");
}

Test(migrations, a_step_that_fails_leaves_the_version_before_it_whole)
{
    const struct migration bad[] = {{"0001_a", first}, {"0002_b", broken}};
    const struct migration good[] = {{"0001_a", first}, {"0002_b", second}};

    cr_assert(eq(int, (int)migrate(db, bad, 2, &err), STATUS_STORAGE));
    cr_expect(eq(i64, stored("SELECT max(version) FROM migration"), 1));
    cr_expect(eq(i64, stored("SELECT count(*) FROM pragma_table_info('a')"), 1));
    cr_assert(eq(int, (int)migrate(db, good, 2, &err), STATUS_OK), "%s", err.detail);
}
