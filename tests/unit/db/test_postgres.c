/* db/postgres: what the contract's own tests cannot see. Runs under tests/support/with-postgres. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/text.h"
#include "db/postgres/migrate.h"
#include "db/postgres/statement.h"
#include "db/postgres/store.h"
#include "tests/support/site_work.h"

static struct test_site site;
static struct database_view *view;
static struct error err;

static void need_postgres(void)
{
    if (!database_is_postgres())
        cr_skip_test("needs a PostgreSQL: see tests/support/with-postgres");
}

static void set_up(void)
{
    need_postgres();
    site_open(&site, NULL);
    view = database_look(site.path);
}

static void tear_down(void)
{
    database_leave(view);
    site_close(&site);
}

/* ------------------------------------------------------------------------------------- statements
 */

static void translates(const char *sql, const char *expected)
{
    CLEANUP(freep) char *text = statement_translate(sql);

    cr_expect(eq(str, text, (char *)expected));
}

Test(statement, parameters_are_numbered_and_hints_left_out)
{
    translates("SELECT a FROM b WHERE c = ? AND d = ?", "SELECT a FROM b WHERE c = $1 AND d = $2");
    translates("VALUES (?1, ?2, ?1, ?)", "VALUES ($1, $2, $1, $3)");
    translates("SELECT '?' || 'NOT INDEXED', ?", "SELECT '?' || 'NOT INDEXED', $1");
    translates("SELECT a FROM b INDEXED BY c WHERE d = ?", "SELECT a FROM b  WHERE d = $1");
    translates("SELECT a FROM b NOT INDEXED WHERE d", "SELECT a FROM b  WHERE d");
    translates("SELECT a FROM json_each(?) j CROSS JOIN b ON b.id = j.value",
               "SELECT a FROM unnest($1) j(value) JOIN b ON b.id = j.value");
}

/* ----------------------------------------------------------------------------------------- schema
 */

#define OWN_TABLES                                                                                 \
    "FROM information_schema.columns WHERE table_schema = current_schema()"                        \
    " AND table_name <> 'migration'"

/* Every column of one is in the other, in the same place, of the same kind and as often empty. */
Test(schema, both_databases_have_the_same_tables_and_columns, .init = set_up, .fini = tear_down)
{
    static const char sql[] =
        "SELECT m.name, p.name, p.cid + 1, CASE p.type WHEN 'INTEGER' THEN 'bigint'"
        " WHEN 'BLOB' THEN 'bytea' ELSE 'text' END, p.[notnull] OR p.pk FROM sqlite_master m"
        " JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name <> 'migration'";
    struct store *store = NULL;
    sqlite3_stmt *row = NULL;
    sqlite3 *lite = NULL;
    int64_t columns = 0;

    cr_assert(eq(int, (int)store_open_sqlite("file:/schema?vfs=memdb", &store, &err), STATUS_OK));
    cr_assert(zero(int, sqlite3_open_v2("file:/schema?vfs=memdb", &lite,
                                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL)));
    cr_assert(zero(int, sqlite3_prepare_v2(lite, sql, -1, &row, NULL)), "%s", sqlite3_errmsg(lite));
    for (; sqlite3_step(row) == SQLITE_ROW; columns++) {
        CLEANUP(freep)
        char *there = text_format(
            "SELECT count(*) " OWN_TABLES " AND table_name = '%s' AND column_name = '%s'"
            " AND ordinal_position = %d AND data_type = '%s' AND is_nullable = '%s'",
            sqlite3_column_text(row, 0), sqlite3_column_text(row, 1), sqlite3_column_int(row, 2),
            sqlite3_column_text(row, 3), sqlite3_column_int(row, 4) ? "NO" : "YES");

        cr_expect(eq(i64, database_number(view, there), 1), "%s", there);
    }
    cr_expect(lt(i64, 200, columns));
    cr_expect(eq(i64, database_number(view, "SELECT count(*) " OWN_TABLES), columns));
    (void)sqlite3_finalize(row);
    (void)sqlite3_close(lite);
    store_close(store);
}

Test(schema, a_database_of_a_newer_version_is_refused_in_words, .init = set_up, .fini = tear_down)
{
    struct store *store = NULL;

    (void)database_change(view, "INSERT INTO migration VALUES (999, 'x')");
    cr_expect(eq(int, (int)store_open(site.path, &store, &err), STATUS_CONFLICT));
    cr_expect(ne(ptr, strstr(err.text, "of version 999"), NULL), "%s", err.text);
}

Test(schema, a_step_that_fails_leaves_the_version_before_it_whole, .init = set_up,
     .fini = tear_down)
{
    static const char *const good[] = {"CREATE TABLE extra (id BIGINT);\n", NULL};
    static const char *const bad[] = {"CREATE TABLE half (id BIGINT);\n", "nonsense;\n", NULL};
    struct migration steps[] = {
        {.name = "0001_site"}, {.name = "a", .lines = good}, {.name = "b", .lines = bad}};
    struct postgres_store *self = postgres_of(site.store);

    cr_expect(eq(int, (int)postgres_migrate(self, steps, 3, &err), STATUS_STORAGE));
    cr_expect(eq(i64, database_number(view, "SELECT max(version) FROM migration"), 2));
    cr_expect(eq(i64, database_number(view, "SELECT (to_regclass('half') IS NULL)::int"), 1));
    steps[2].lines = good + 1;
    cr_expect(eq(int, (int)postgres_migrate(self, steps, 3, &err), STATUS_OK), "%s", err.detail);
    cr_expect(eq(i64, database_number(view, "SELECT max(version) FROM migration"), 3));
}

/* ------------------------------------------------------------------------------------- connection
 */

static void refuses(const char *url, enum status status, const char *words)
{
    struct store *store = NULL;

    err = (struct error){0};
    cr_expect(eq(int, (int)store_open(url, &store, &err), status), "%s", url);
    cr_expect(ne(ptr, strstr(err.text, words), NULL), "%s: %s (%s)", url, err.text, err.detail);
    cr_expect(eq(ptr, strstr(err.detail, "s3cret"), NULL), "%s", err.detail);
    store_close(store);
}

Test(connection, a_url_that_leads_nowhere_is_said_so_without_its_password)
{
    refuses("postgres://a:s3cret@[::1/b", STATUS_INVALID, "URL is not understood");
    refuses("postgres://a:s3cret@127.0.0.1:1/b", STATUS_STORAGE, "cannot be reached");
    refuses("postgresql://a:s3cret@/b?host=/no/such/folder", STATUS_STORAGE, "cannot be reached");
}

Test(connection, a_missing_database_role_or_right_is_told_apart, .init = set_up, .fini = tear_down)
{
    CLEANUP(freep) char *database = text_copy(site.path);
    CLEANUP(freep) char *role = text_copy(site.path);
    char *name = strstr(database, "@/dugnad?"), *user = strstr(role, "://dugnad@");

    cr_assert(name != NULL && user != NULL);
    memcpy(name, "@/nobody?", 9);
    refuses(database, STATUS_STORAGE, "no database of this name");
    memcpy(user, "://nobody@", 10);
    refuses(role, STATUS_STORAGE, "role or password");
    (void)database_change(view, "CREATE ROLE nobody LOGIN");
    refuses(role, STATUS_STORAGE, "own the database");
    (void)database_change(view, "DROP ROLE nobody");
}

/* Ends the store's connection as the server does that is stopped. */
static void cut(struct store *store)
{
    char sql[100];

    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM pg_terminate_backend(%d, 5000) t WHERE t",
                   PQbackendPID(postgres_of(store)->connection));
    cr_assert(eq(i64, database_number(view, sql), 1));
}

static enum status load(struct work_set *set)
{
    return site.store->work->load(
        site.store, &(struct work_request){.units = site.units, .unit_count = 2}, set, &err);
}

Test(connection, one_that_was_lost_is_made_anew, .init = set_up, .fini = tear_down)
{
    CLEANUP(work_set_clear) struct work_set set = {0};
    CLEANUP(txn_end) struct txn txn = {0};

    cr_assert(eq(int, (int)load(&set), STATUS_OK));
    work_set_clear(&set);
    cut(site.store);
    cr_assert(eq(int, (int)load(&set), STATUS_OK), "%s", err.detail);
    cr_expect(eq(sz, set.unit_count, 2));
    cut(site.store);
    cr_assert(eq(int, (int)txn_begin(&txn, site.store, &err), STATUS_OK), "%s", err.detail);
    set.units[0].is_changed = true;
    cr_expect(eq(int, (int)site.store->work->save(site.store, &set, &err), STATUS_OK), "%s",
              err.detail);
    cr_expect(eq(int, (int)txn_commit(&txn, &err), STATUS_OK));
}

/* As when PostgreSQL's process was killed: it could not even say so. */
Test(connection, one_that_ends_without_a_word_is_made_anew, .init = set_up, .fini = tear_down)
{
    struct postgres_store *self = postgres_of(site.store);
    CLEANUP(work_set_clear) struct work_set set = {0};
    CLEANUP(txn_end) struct txn txn = {0};

    cr_assert(zero(int, shutdown(PQsocket(self->connection), SHUT_RDWR)));
    cr_assert(eq(int, (int)load(&set), STATUS_OK), "%s", err.detail);
    cr_assert(zero(int, shutdown(PQsocket(self->connection), SHUT_RDWR)));
    cr_assert(eq(int, (int)txn_begin(&txn, site.store, &err), STATUS_OK), "%s", err.detail);
    cr_assert(zero(int, shutdown(PQsocket(self->connection), SHUT_RDWR)));
    set.units[0].is_changed = true;
    cr_expect(eq(int, (int)site.store->work->save(site.store, &set, &err), STATUS_STORAGE));
    txn_end(&txn);
    cr_assert(eq(int, (int)txn_begin(&txn, site.store, &err), STATUS_OK), "%s", err.detail);
    cr_expect(eq(int, (int)txn_commit(&txn, &err), STATUS_OK));
}

/* A session without its settings, or without the lock of its number, is none. */
Test(connection, one_that_cannot_claim_its_number_again_is_not_used, .init = set_up,
     .fini = tear_down)
{
    struct store *usurper = site_connect(&site);
    struct txn txn = {0};

    cr_assert(eq(int, (int)site.store->join(site.store, 2, true, &err), STATUS_OK));
    cut(site.store);
    cr_assert(eq(int, (int)usurper->join(usurper, 2, true, &err), STATUS_OK), "%s", err.text);
    for (int i = 0; i < 2; i++)
        cr_expect(eq(int, (int)txn_begin(&txn, site.store, &err), STATUS_BUSY), "%s", err.text);
    store_close(usurper);
    cr_assert(eq(int, (int)txn_begin(&txn, site.store, &err), STATUS_OK), "%s", err.text);
    cr_expect(eq(int, (int)txn_commit(&txn, &err), STATUS_OK));
}

Test(connection, a_transaction_that_lost_its_connection_stored_nothing, .init = set_up,
     .fini = tear_down)
{
    CLEANUP(work_set_clear) struct work_set set = {0};
    struct txn txn = {0};

    cr_assert(eq(int, (int)load(&set), STATUS_OK));
    cr_assert(eq(int, (int)txn_begin(&txn, site.store, &err), STATUS_OK));
    set.units[0].is_changed = true;
    cr_assert(eq(int, (int)site.store->work->save(site.store, &set, &err), STATUS_OK));
    cut(site.store);
    cr_expect(eq(int, (int)txn_commit(&txn, &err), STATUS_STORAGE));
    txn_end(&txn);
    cr_expect(eq(i64, database_number(view, "SELECT max(version) FROM unit"), 1));
    cr_assert(eq(int, (int)txn_begin(&txn, site.store, &err), STATUS_OK), "%s", err.detail);
    cr_expect(eq(int, (int)txn_commit(&txn, &err), STATUS_OK));
}

Test(connection, a_commit_waits_for_the_disk, .init = set_up, .fini = tear_down)
{
    PGresult *result = PQexec(postgres_of(site.store)->connection, "SHOW synchronous_commit");

    cr_expect(eq(str, PQgetvalue(result, 0, 0), "on"));
    PQclear(result);
}

/* ---------------------------------------------------------------------------------------- writers
 */

Test(writers, one_that_is_already_there_is_said_to_be_busy, .init = set_up, .fini = tear_down)
{
    CLEANUP(store_closep) struct store *other = site_connect(&site);
    CLEANUP(txn_end) struct txn first = {0};
    struct txn second = {0};

    cr_assert(eq(int, (int)postgres_run(postgres_of(other), "SET lock_timeout = '50ms'", &err),
                 STATUS_OK));
    cr_assert(eq(int, (int)txn_begin(&first, site.store, &err), STATUS_OK));
    cr_expect(eq(int, (int)txn_begin(&second, other, &err), STATUS_BUSY));
    cr_assert(eq(int, (int)txn_commit(&first, &err), STATUS_OK));
    cr_expect(eq(int, (int)txn_begin(&second, other, &err), STATUS_OK), "%s", err.detail);
    cr_expect(eq(int, (int)txn_commit(&second, &err), STATUS_OK));
}

Test(writers, a_transaction_in_which_a_statement_failed_is_never_said_to_be_stored, .init = set_up,
     .fini = tear_down)
{
    const struct credential credential = {
        .kind = CREDENTIAL_OPERATOR, .role = ROLE_OPERATOR, .hash = site_digest(5)};
    struct txn txn = {0};
    int64_t id;

    cr_assert(eq(int, (int)txn_begin(&txn, site.store, &err), STATUS_OK));
    cr_assert(eq(int, (int)site.store->publish->credential_add(site.store, &credential, &id, &err),
                 STATUS_OK));
    cr_expect(eq(int, (int)site.store->publish->credential_add(site.store, &credential, &id, &err),
                 STATUS_CONFLICT));
    cr_expect(eq(int, (int)txn_commit(&txn, &err), STATUS_STORAGE));
    txn_end(&txn);
    cr_expect(eq(i64, database_number(view, "SELECT count(*) FROM credential"), 0));
}

static int64_t content(void)
{
    static const char *const tables[] = {"unit",  "manifest", "file",    "file_reference",
                                         "batch", "tally",    "id_block"};
    int64_t sum = 0;

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char sql[200];

        (void)snprintf(
            sql, sizeof sql,
            "SELECT coalesce(sum(hashtextextended(t::text, %zu) / 1024), 0) %% 1000000007"
            " FROM %s t",
            i, tables[i]);
        sum += database_number(view, sql);
    }
    return sum;
}

static enum status add_units(void)
{
    static const struct digest input = {.bytes = {7}};
    const struct file_record file = {.digest = input, .size_bytes = 3, .time_s = 1};
    const struct publish_ops *publish = site.store->publish;
    struct unit units[2] = {{.digest = site_digest(500), .index = 500},
                            {.digest = site_digest(501), .index = 501}};
    struct unit_record records[2] = {{.unit = &units[0], .name = "x", .inputs = &input},
                                     {.unit = &units[1], .name = "y"}};
    CLEANUP(txn_end) struct txn txn = {0};
    bool is_new;
    size_t added;

    records[0].input_count = 1;
    cr_assert(eq(int, (int)txn_begin(&txn, site.store, &err), STATUS_OK));
    TRY(publish->file_add(site.store, &file, &is_new, &err));
    TRY(publish->units_add(site.store, site.batch, records, 2, &added, &err));
    return txn_commit(&txn, &err);
}

Test(writers, a_slice_of_units_that_fails_at_any_write_stores_nothing, .init = set_up,
     .fini = tear_down)
{
    static const char *const writes[] = {
        "INSERT ON file",  "INSERT ON unit",  "INSERT ON manifest", "INSERT ON file_reference",
        "UPDATE ON batch", "UPDATE ON tally", "UPDATE ON id_block",
    };
    int64_t before = content();

    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        database_break(view, writes[i], NULL);
        cr_expect(eq(int, (int)add_units(), STATUS_STORAGE), "%s", writes[i]);
        cr_expect(eq(i64, content(), before), "%s", writes[i]);
        database_mend(view);
    }
    cr_assert(eq(int, (int)add_units(), STATUS_OK), "%s", err.detail);
    cr_expect(ne(i64, content(), before));
}

/* ---------------------------------------------------------------------------------------- servers
 */

static bool count_result(void *context, const struct result_view *result)
{
    int64_t *seen = context;

    cr_expect(lt(i64, seen[0], result->cursor), "in the order of commits");
    seen[0] = result->cursor;
    seen[1]++;
    return true;
}

Test(servers, each_number_is_one_running_servers, .init = set_up, .fini = tear_down)
{
    struct store *other = site_connect(&site), *reader = site_connect(&site);

    cr_assert(eq(int, (int)site.store->join(site.store, 2, true, &err), STATUS_OK), "%s", err.text);
    cr_expect(eq(int, (int)other->join(other, 2, true, &err), STATUS_BUSY));
    cr_expect(ne(ptr, strstr(err.text, "number 2 "), NULL), "%s", err.text);
    cr_expect(eq(int, (int)reader->join(reader, 2, false, &err), STATUS_OK));
    cr_expect(eq(int, (int)other->join(other, 3, true, &err), STATUS_OK));
    cr_expect(eq(i64, database_number(view, "SELECT count(*) FROM server"), 3));
    store_close(other);
    store_close(reader);
    other = site_connect(&site);
    cr_expect(eq(int, (int)other->join(other, 3, true, &err), STATUS_OK), "it went, and is free");
    store_close(other);
}

Test(servers, a_number_is_claimed_again_on_a_new_connection, .init = set_up, .fini = tear_down)
{
    CLEANUP(store_closep) struct store *other = site_connect(&site);
    CLEANUP(work_set_clear) struct work_set set = {0};

    cr_assert(eq(int, (int)site.store->join(site.store, 2, true, &err), STATUS_OK));
    cut(site.store);
    cr_assert(eq(int, (int)load(&set), STATUS_OK), "%s", err.detail);
    cr_expect(eq(int, (int)other->join(other, 2, true, &err), STATUS_BUSY));
}

Test(servers, ids_come_from_blocks_of_their_own_and_results_in_one_order, .init = set_up,
     .fini = tear_down)
{
    struct store *first = site.store, *second = site_connect(&site);
    int64_t seen[2] = {0, 0}, id = 0;

    cr_assert(eq(int, (int)second->join(second, 2, true, &err), STATUS_OK));
    site.store = second;
    site_add_units(&site, site.batch, 10, 1, NULL, &id);
    cr_expect(eq(i64, id, (INT64_C(1) << 40) + 1));
    for (size_t i = 0; i < 2; i++) {
        site_give_up(&site, i, FAILURE_ERRORS);
        site.store = first;
    }
    cr_expect(eq(i64, database_number(view, "SELECT count(DISTINCT server) FROM batch_result"), 2));
    for (int i = 0; i < 2; i++)
        cr_assert(
            eq(int,
               (int)first->query->results(first, site.batch, seen[0], 1, count_result, seen, &err),
               STATUS_OK));
    cr_expect(eq(i64, seen[1], 2));
    cr_expect(eq(i64, database_number(view, "SELECT max(seq) - count(*) FROM journal"), 0));
    store_close(second);
}
