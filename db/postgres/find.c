/* Which rows a request is about, in one statement for each kind of name. */
#include "db/postgres/bulk.h"
#include "db/postgres/driver.h"
#include "db/postgres/store.h"
#include "db/sql/ids.h"

static enum status hosts_by_token(struct sql_store *self, const struct work_request *request,
                                  struct ids *hosts, struct error *err)
{
    static const char sql[] = "SELECT h.id FROM unnest(?) AS r(token) JOIN host h"
                              " ON h.token = r.token";
    CLEANUP(query_end) struct query query = {0};

    if (request->token_count == 0)
        return STATUS_OK;
    TRY(query_begin(&query, self, sql, err));
    bind_digests(&query, request->tokens, request->token_count);
    return ids_add_rows(hosts, &query, err);
}

static enum status hosts_by_key(struct sql_store *self, const struct work_request *request,
                                struct ids *hosts, struct error *err)
{
    static const char sql[] = "SELECT h.id FROM unnest(?) AS r(key) JOIN host h ON h.key = r.key";
    CLEANUP(query_end) struct query query = {0};
    CLEANUP(bulk_clear) struct bulk keys;

    bulk_init(&keys, self, "b");
    for (size_t i = 0; i < request->key_count; i++)
        bulk_bytes(&keys, request->keys[i].bytes, PUBLIC_KEY_BYTES);
    if (request->key_count == 0)
        return STATUS_OK;
    TRY(bulk_query(&keys, sql, &query, err));
    return ids_add_rows(hosts, &query, err);
}

enum status postgres_find_hosts(struct sql_store *self, const struct work_request *request,
                                struct ids *hosts, struct error *err)
{
    TRY(hosts_by_token(self, request, hosts, err));
    return hosts_by_key(self, request, hosts, err);
}

enum status postgres_find_units(struct sql_store *self, const struct work_request *request,
                                struct ids *units, struct error *err)
{
    static const char sql[] =
        "SELECT mine.id / 16 FROM unnest(?) AS r(host), LATERAL (SELECT t.id FROM task t"
        " WHERE t.host = r.host AND t.live = 1 ORDER BY t.id LIMIT ?) AS mine";
    CLEANUP(query_end) struct query query = {0};

    if (request->host_count == 0)
        return STATUS_OK;
    TRY(query_begin(&query, self, sql, err));
    bind_integers(&query, request->hosts, request->host_count);
    bind_integer(&query, TASKS_OF_HOST_MAX);
    return ids_add_rows(units, &query, err);
}
