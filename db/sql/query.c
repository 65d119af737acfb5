#include "db/sql/query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "db/sql/store.h"

/* Where the statement of this address is, or would be. */
static struct cached_statement *find_slot(struct sql_store *store, const char *sql)
{
    size_t at = ((uintptr_t)sql >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32;

    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        struct cached_statement *slot = &store->cache[(at + i) % STATEMENTS_MAX];

        if (slot->sql == sql || slot->sql == NULL)
            return slot;
    }
    abort(); /* more statements than STATEMENTS_MAX */
}

enum status query_begin(struct query *query, struct sql_store *store, const char *sql,
                        struct error *err)
{
    struct cached_statement *slot = find_slot(store, sql);

    if (slot->sql == NULL) {
        TRY(store->driver->prepare(store, sql, &slot->statement, err));
        slot->sql = sql;
    }
    assert(!store->driver->is_busy(slot->statement));
    *query = (struct query){.store = store, .statement = slot->statement};
    return STATUS_OK;
}

void query_end(struct query *query)
{
    if (query->statement != NULL)
        query->store->driver->reset(query);
    query->statement = NULL;
}

void bind_integer(struct query *query, int64_t value)
{
    query->store->driver->bind_integer(query, query->bound++, &value);
}

void bind_reference(struct query *query, int64_t id)
{
    query->store->driver->bind_integer(query, query->bound++, id != 0 ? &id : NULL);
}

void bind_text(struct query *query, const char *text)
{
    query->store->driver->bind_text(query, query->bound++, text != NULL ? text : "");
}

void bind_optional_text(struct query *query, const char *text)
{
    bool is_none = text == NULL || *text == '\0';

    query->store->driver->bind_text(query, query->bound++, is_none ? NULL : text);
}

void bind_bytes(struct query *query, const void *bytes, size_t length)
{
    const struct span span = {.bytes = length > 0 ? bytes : "", .length = length};

    query->store->driver->bind_bytes(query, query->bound++, &span);
}

void bind_optional(struct query *query, const void *bytes, size_t length)
{
    const struct span span = {.bytes = bytes, .length = length};

    query->store->driver->bind_bytes(query, query->bound++, length > 0 ? &span : NULL);
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
    query->store->driver->bind_integers(query, query->bound++, values, count);
}

bool query_next(struct query *query)
{
    query->column = 0;
    return query->store->driver->next(query);
}

enum status query_status(const struct query *query, struct error *err)
{
    return query->store->driver->status(query, err);
}

enum status query_run(struct query *query, struct error *err)
{
    enum status status;

    while (query_next(query))
        ;
    status = query_status(query, err);
    query->store->driver->reset(query);
    query->bound = 0;
    return status;
}

int64_t query_changes(const struct query *query)
{
    return query->store->driver->changes(query->store);
}

int64_t get_integer(struct query *query)
{
    return query->store->driver->integer(query, query->column++);
}

bool get_bool(struct query *query)
{
    return get_integer(query) != 0;
}

const char *get_text(struct query *query)
{
    const char *text = query->store->driver->text(query, query->column++);

    return text != NULL ? text : "";
}

char *get_copy(struct query *query)
{
    return text_copy(get_text(query));
}

struct span get_span(struct query *query)
{
    return query->store->driver->bytes(query, query->column++);
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
