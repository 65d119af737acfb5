#include "db/sqlite/query.h"

#include <assert.h>
#include <sqlite3.h>
#include <string.h>

#include "common/base/text.h"
#include "db/sqlite/failure.h"
#include "db/sqlite/store.h"

/* Where the statement of this address is, or would be. */
static struct cached_statement *find_slot(struct sqlite_store *store, const char *sql)
{
    size_t at = ((uintptr_t)sql >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32;

    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        struct cached_statement *slot = &store->cache[(at + i) % STATEMENTS_MAX];

        if (slot->sql == sql || slot->sql == NULL)
            return slot;
    }
    abort(); /* more statements than STATEMENTS_MAX */
}

enum status query_begin(struct query *query, struct sqlite_store *store, const char *sql,
                        struct error *err)
{
    struct cached_statement *slot = find_slot(store, sql);

    if (slot->sql == NULL) {
        int rc =
            sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &slot->row, NULL);

        if (rc != SQLITE_OK)
            return sqlite_failure(store->db, rc, err);
        slot->sql = sql;
    }
    assert(!sqlite3_stmt_busy(slot->row));
    *query = (struct query){.store = store, .row = slot->row};
    return STATUS_OK;
}

void query_end(struct query *query)
{
    if (query->row == NULL)
        return;
    (void)sqlite3_reset(query->row); /* its failure was told when stepping */
    (void)sqlite3_clear_bindings(query->row);
    query->row = NULL;
}

/* Binding fails for want of memory or by our own mistake only. */
static void bound(int rc)
{
    if (rc != SQLITE_OK)
        abort();
}

void bind_integer(struct query *query, int64_t value)
{
    bound(sqlite3_bind_int64(query->row, ++query->bound, value));
}

void bind_reference(struct query *query, int64_t id)
{
    if (id != 0)
        bind_integer(query, id);
    else
        bound(sqlite3_bind_null(query->row, ++query->bound));
}

void bind_text(struct query *query, const char *text)
{
    bound(
        sqlite3_bind_text(query->row, ++query->bound, text != NULL ? text : "", -1, SQLITE_STATIC));
}

void bind_optional_text(struct query *query, const char *text)
{
    if (text != NULL && *text != '\0')
        bind_text(query, text);
    else
        bound(sqlite3_bind_null(query->row, ++query->bound));
}

void bind_bytes(struct query *query, const void *bytes, size_t length)
{
    bound(sqlite3_bind_blob64(query->row, ++query->bound, length > 0 ? bytes : "", length,
                              SQLITE_STATIC));
}

void bind_optional(struct query *query, const void *bytes, size_t length)
{
    if (length > 0)
        bind_bytes(query, bytes, length);
    else
        bound(sqlite3_bind_null(query->row, ++query->bound));
}

void bind_digest(struct query *query, const struct digest *digest)
{
    bind_optional(query, digest->bytes, digest_is_none(digest) ? 0 : DIGEST_BYTES);
}

void bind_key(struct query *query, const struct public_key *key)
{
    bind_bytes(query, key->bytes, PUBLIC_KEY_BYTES);
}

void bind_span(struct query *query, struct span span)
{
    bind_bytes(query, span.bytes, span.length);
}

void bind_integers(struct query *query, const int64_t *values, size_t count)
{
    sqlite3_str *list = sqlite3_str_new(NULL);
    char *json;

    sqlite3_str_appendchar(list, 1, '[');
    for (size_t i = 0; i < count; i++)
        sqlite3_str_appendf(list, i == 0 ? "%lld" : ",%lld", (long long)values[i]);
    sqlite3_str_appendchar(list, 1, ']');
    json = sqlite3_str_finish(list);
    if (json == NULL)
        abort();
    bound(sqlite3_bind_text(query->row, ++query->bound, json, -1, sqlite3_free));
}

bool query_next(struct query *query)
{
    assert(sqlite3_bind_parameter_count(query->row) == query->bound);
    query->rc = sqlite3_step(query->row);
    query->column = 0;
    return query->rc == SQLITE_ROW;
}

enum status query_status(const struct query *query, struct error *err)
{
    if (query->rc == SQLITE_DONE || query->rc == SQLITE_ROW)
        return STATUS_OK;
    return sqlite_failure(query->store->db, query->rc, err);
}

enum status query_run(struct query *query, struct error *err)
{
    enum status status;

    while (query_next(query))
        ;
    status = query_status(query, err);
    (void)sqlite3_reset(query->row);
    query->bound = 0;
    return status;
}

int64_t query_changes(const struct query *query)
{
    return sqlite3_changes64(query->store->db);
}

int64_t get_integer(struct query *query)
{
    return sqlite3_column_int64(query->row, query->column++);
}

bool get_bool(struct query *query)
{
    return get_integer(query) != 0;
}

const char *get_text(struct query *query)
{
    const unsigned char *text = sqlite3_column_text(query->row, query->column++);

    return text != NULL ? (const char *)text : "";
}

char *get_copy(struct query *query)
{
    return text_copy(get_text(query));
}

struct span get_span(struct query *query)
{
    const void *bytes = sqlite3_column_blob(query->row, query->column);
    int length = sqlite3_column_bytes(query->row, query->column++);

    return (struct span){.bytes = bytes, .length = bytes != NULL ? (size_t)length : 0};
}

struct digest get_digest(struct query *query)
{
    struct digest digest = {0};
    struct span span = get_span(query);

    if (span.length == DIGEST_BYTES)
        memcpy(digest.bytes, span.bytes, DIGEST_BYTES);
    return digest;
}

struct public_key get_key(struct query *query)
{
    struct public_key key = {0};
    struct span span = get_span(query);

    if (span.length == PUBLIC_KEY_BYTES)
        memcpy(key.bytes, span.bytes, PUBLIC_KEY_BYTES);
    return key;
}

void get_skip(struct query *query)
{
    query->column++;
}
