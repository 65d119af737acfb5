#include "db/postgres/store.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "db/postgres/failure.h"
#include "db/postgres/migrate.h"
#include "db/postgres/save.h"
#include "db/postgres/sets.h"
#include "db/sql/publish.h"
#include "db/sql/query.h"
#include "db/sql/view.h"
#include "db/sql/work.h"

#define OLDEST_VERSION 130000

/*
 * Statements are few and each has its index, so plans are made once and held to them: statistics
 * that are a million rows late must not turn one into a pass over a table. A server that hangs
 * within a transaction must not hold everybody else up.
 */
static const char settings[] = "SET client_min_messages = warning;"
                               "SET synchronous_commit = on;"
                               "SET lock_timeout = '5s';"
                               "SET idle_in_transaction_session_timeout = '60s';"
                               "SET plan_cache_mode = force_generic_plan;"
                               "SET enable_seqscan = off;"
                               "SET enable_hashjoin = off;"
                               "SET enable_mergejoin = off;"
                               "SET jit = off";

/* One writer at a time, whoever it is; a site is a schema. Readers are in nobody's way. */
static const char begin_writing[] =
    "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 110455409238372))";

void postgres_notice(struct postgres_store *store, const struct pg_result *result)
{
    if (postgres_is_lost(result) || PQstatus(store->connection) == CONNECTION_BAD)
        store->is_set_up = false;
}

enum status postgres_run(struct postgres_store *store, const char *sql, struct error *err)
{
    PGresult *result = PQexec(store->connection, sql);
    ExecStatusType outcome = PQresultStatus(result);
    enum status status = STATUS_OK;

    postgres_notice(store, result);
    if (outcome != PGRES_COMMAND_OK && outcome != PGRES_TUPLES_OK)
        status = postgres_failure(store->connection, result, err);
    PQclear(result);
    return status;
}

/* Before the tables are looked at: the lock is of the connection, and lives as long as it. */
static enum status claim(struct postgres_store *store, struct error *err)
{
    CLEANUP(freep)
    char *sql = text_format("SELECT pg_try_advisory_lock(" SERVER_LOCK("%lld") ")",
                            (long long)store->base.server);
    PGresult *result = PQexec(store->connection, sql);
    enum status status = STATUS_OK;

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        status = postgres_failure(store->connection, result, err);
    else if (strcmp(PQgetvalue(result, 0, 0), "t") != 0)
        status = error_set(err, STATUS_BUSY,
                           "another server is number %lld of this database: give each its own",
                           (long long)store->base.server);
    PQclear(result);
    return status;
}

static enum status check_session(struct postgres_store *store, struct error *err)
{
    const char *encoding = PQparameterStatus(store->connection, "server_encoding");
    int version = PQserverVersion(store->connection);

    if (version < OLDEST_VERSION)
        return error_set(err, STATUS_INVALID, "PostgreSQL %d is too old: 13 or newer is needed",
                         version / 10000);
    if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
        return error_set(err, STATUS_INVALID,
                         "the database's encoding is %s: create it with ENCODING 'UTF8'",
                         encoding != NULL ? encoding : "unknown");
    TRY(postgres_run(store, settings, err));
    if (store->only_reads)
        TRY(postgres_run(store, "SET default_transaction_read_only = on", err));
    return store->runs ? claim(store, err) : STATUS_OK;
}

/* A session that was half set up is none. */
static enum status open_session(struct postgres_store *store, struct error *err)
{
    store->generation++;
    store->is_set_up = false;
    TRY(check_session(store, err));
    store->is_set_up = true;
    return STATUS_OK;
}

enum status postgres_revive(struct postgres_store *store, struct error *err)
{
    if (PQstatus(store->connection) == CONNECTION_OK && store->is_set_up)
        return STATUS_OK;
    PQreset(store->connection);
    if (PQstatus(store->connection) != CONNECTION_OK)
        return postgres_unreachable(store->connection, err);
    return open_session(store, err);
}

/* What cannot be undone is gone with its connection. */
static void undo(struct postgres_store *store)
{
    if (store->is_set_up && PQstatus(store->connection) == CONNECTION_OK &&
        PQtransactionStatus(store->connection) != PQTRANS_IDLE)
        PQclear(PQexec(store->connection, "ROLLBACK"));
}

static enum status begin_once(struct postgres_store *store, const char *sql, struct error *err)
{
    enum status status;

    TRY(postgres_revive(store, err));
    status = postgres_run(store, sql, err);
    if (status != STATUS_OK)
        undo(store); /* the lock may fail after BEGIN did not */
    return status;
}

enum status postgres_begin(struct postgres_store *store, const char *sql, struct error *err)
{
    enum status status = begin_once(store, sql, err);

    if (status != STATUS_OK && !store->is_set_up)
        status = begin_once(store, sql, err);
    store->is_in_transaction = status == STATUS_OK;
    return status;
}

static enum status begin(struct store *store, struct error *err)
{
    return postgres_begin(postgres_of(store), begin_writing, err);
}

/* Of a transaction in which a statement failed, COMMIT says that it was rolled back. */
static enum status commit(struct store *store, struct error *err)
{
    struct postgres_store *self = postgres_of(store);
    PGresult *result = PQexec(self->connection, "COMMIT");
    enum status status = STATUS_OK;

    postgres_notice(self, result);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        status = postgres_failure(self->connection, result, err);
    else if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
        status = error_set(err, STATUS_STORAGE, "the database failed; nothing was stored");
    else
        self->is_in_transaction = false;
    PQclear(result);
    return status;
}

static void rollback(struct store *store)
{
    struct postgres_store *self = postgres_of(store);

    undo(self);
    self->is_in_transaction = false;
}

static enum status make_server(struct sql_store *self, int64_t server, struct error *err)
{
    static const char row[] = "INSERT INTO server (id) VALUES (?) ON CONFLICT DO NOTHING";
    static const char blocks[] =
        "INSERT INTO id_block (server, kind, next, last)"
        " SELECT ?1, kind, ((?1 - 1) << 40) + 1, (?1 << 40) - 1 FROM generate_series(1, 10) AS kind"
        " ON CONFLICT DO NOTHING";
    CLEANUP(query_end) struct query make_row = {0};
    CLEANUP(query_end) struct query make_blocks = {0};

    _Static_assert(ID_UNIT == 1 && ID_NOTICE == 10, "as in the statement above");
    TRY(query_begin(&make_row, self, row, err));
    bind_integer(&make_row, server);
    TRY(query_run(&make_row, err));
    TRY(query_begin(&make_blocks, self, blocks, err));
    bind_integer(&make_blocks, server);
    return query_run(&make_blocks, err);
}

static enum status join(struct store *store, int64_t server, bool runs, struct error *err)
{
    struct postgres_store *self = postgres_of(store);
    CLEANUP(txn_end) struct txn txn = {0};

    assert(server >= 1 && server <= STORE_SERVERS_MAX);
    self->base.server = server;
    if (runs)
        TRY(claim(self, err));
    self->runs = runs;
    TRY(txn_begin(&txn, store, err));
    TRY(make_server(&self->base, server, err));
    return txn_commit(&txn, err);
}

static void close_postgres(struct store *store)
{
    struct postgres_store *self = postgres_of(store);

    statements_forget(&self->base);
    PQfinish(self->connection);
    free(self);
}

/* What libpq says of a URL may repeat the password in it. */
static enum status check_url(const char *url, struct error *err)
{
    char *words = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &words);
    bool is_fine = options != NULL;

    PQconninfoFree(options);
    PQfreemem(words);
    if (is_fine)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "the database's URL is not understood: postgres://role@host/database");
}

/* A dead peer is noticed within half a minute, in the midst of a statement too. */
static PGconn *connect_to(const char *url)
{
    const char *const names[] = {
        "dbname",           "connect_timeout",           "keepalives_idle",
        "keepalives_count", "keepalives_interval",       "tcp_user_timeout",
        "client_encoding",  "fallback_application_name", NULL};
    const char *const values[] = {url, "10", "10", "3", "5", "30000", "UTF8", "dugnad", NULL};

    return PQconnectdbParams(names, values, 1);
}

static void say_nothing(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

static enum status set_up(struct postgres_store *self, const char *url, struct error *err)
{
    TRY(check_url(url, err));
    self->connection = connect_to(url);
    if (PQstatus(self->connection) != CONNECTION_OK)
        return postgres_unreachable(self->connection, err);
    (void)PQsetNoticeReceiver(self->connection, say_nothing, NULL);
    TRY(open_session(self, err));
    if (self->only_reads)
        return postgres_is_migrated(self, postgres_migration_count, err);
    return postgres_migrate(self, postgres_migrations, postgres_migration_count, err);
}

static const struct work_ops postgres_work_ops = {
    .load = sql_load,
    .save = postgres_save,
    .scan_ready = sql_scan_ready,
    .scan_sent = sql_scan_sent,
    .scan_expired = sql_scan_expired,
    .granted_at = sql_granted_at,
};

static void use_sets(struct postgres_store *self)
{
    self->publish = sql_publish_ops;
    self->publish.revoke = postgres_revoke;
    self->publish.inputs_release = postgres_inputs_release;
    self->publish.files_forget = postgres_files_forget;
    self->publish.bodies_mark = postgres_bodies_mark;
    self->publish.units_add = postgres_units_add;
    self->query = sql_query_ops;
    self->query.files_missing = postgres_files_missing;
    self->query.app_envelopes = postgres_app_envelopes;
}

static enum status open_as(const char *url, bool only_reads, struct store **ret_store,
                           struct error *err)
{
    struct postgres_store *self = must_alloc(1, sizeof *self);
    CLEANUP(store_closep) struct store *store = &self->base.base;

    self->base.base = (struct store){
        .begin = begin,
        .commit = commit,
        .rollback = rollback,
        .close = close_postgres,
        .join = join,
        .check = postgres_check,
        .work = &postgres_work_ops,
        .query = &self->query,
        .publish = &self->publish,
    };
    use_sets(self);
    self->base.driver = &postgres_driver;
    self->base.server = 1;
    self->only_reads = only_reads;
    TRY(set_up(self, url, err));
    *ret_store = TAKE(store);
    return STATUS_OK;
}

enum status store_open_postgres(const char *url, struct store **ret_store, struct error *err)
{
    return open_as(url, false, ret_store, err);
}

enum status store_open_postgres_reading(const char *url, struct store **ret_store,
                                        struct error *err)
{
    return open_as(url, true, ret_store, err);
}
