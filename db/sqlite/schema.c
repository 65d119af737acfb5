#include "db/sqlite/schema.h"

#include <string.h>

#include "db/sql/check.h"
#include "db/sql/query.h"
#include "db/store.h"

/* Of one that the database has by that name. */
static enum status check_object(struct checker *checker, const char *name, const char *definition,
                                struct error *err)
{
    static const char sql[] = "SELECT sql FROM sqlite_schema WHERE name = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, checker->store, sql, err));
    bind_text(&query, name);
    if (!query_next(&query)) {
        TRY(query_status(&query, err));
        complain(checker, "it is damaged: %s is missing", name);
    } else if (strcmp(get_text(&query), definition) != 0) {
        complain(checker, "it is damaged: %s is not as this version makes it", name);
    }
    return query_status(&query, err);
}

enum status check_schema(struct checker *checker, struct error *err)
{
    static const char sql[] = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL";
    CLEANUP(store_closep) struct store *model = NULL;
    CLEANUP(query_end) struct query query = {0};

    checker->said = 0;
    check_progress(checker, "tables", 0);
    TRY(store_open_sqlite(":memory:", &model, err));
    TRY(query_begin(&query, sql_of(model), sql, err));
    while (query_next(&query)) {
        const char *name = get_text(&query);

        TRY(check_object(checker, name, get_text(&query), err));
    }
    return query_status(&query, err);
}
