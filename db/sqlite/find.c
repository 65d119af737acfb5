/* Which rows a request is about, one by one: each is a look-up in memory. */
#include "db/sql/ids.h"
#include "db/sql/query.h"
#include "db/sqlite/store.h"

static enum status host_by_token(struct sql_store *self, const struct digest *token,
                                 struct ids *hosts, struct error *err)
{
    static const char sql[] = "SELECT id FROM host WHERE token = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, token);
    return ids_add_rows(hosts, &query, err);
}

static enum status host_by_key(struct sql_store *self, const struct public_key *key,
                               struct ids *hosts, struct error *err)
{
    static const char sql[] = "SELECT id FROM host WHERE key = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_key(&query, key);
    return ids_add_rows(hosts, &query, err);
}

static enum status units_of_host(struct sql_store *self, int64_t host, struct ids *units,
                                 struct error *err)
{
    static const char sql[] = "SELECT id / 16 FROM task INDEXED BY task_live"
                              " WHERE host = ? AND live = 1 ORDER BY id LIMIT ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, host);
    bind_integer(&query, TASKS_OF_HOST_MAX);
    return ids_add_rows(units, &query, err);
}

enum status sqlite_find_hosts(struct sql_store *self, const struct work_request *request,
                              struct ids *hosts, struct error *err)
{
    for (size_t i = 0; i < request->token_count; i++)
        TRY(host_by_token(self, &request->tokens[i], hosts, err));
    for (size_t i = 0; i < request->key_count; i++)
        TRY(host_by_key(self, &request->keys[i], hosts, err));
    return STATUS_OK;
}

enum status sqlite_find_units(struct sql_store *self, const struct work_request *request,
                              struct ids *units, struct error *err)
{
    for (size_t i = 0; i < request->host_count; i++)
        TRY(units_of_host(self, request->hosts[i], units, err));
    return STATUS_OK;
}
