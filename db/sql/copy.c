/* Both ways between SQLite and PostgreSQL; see db/copy.h. */
#include "db/copy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/text.h"
#include "db/sql/query.h"
#include "db/sql/store.h"
#include "db/sql/tables_of.h"

/* Rows are written so many at a time, or so many bytes: one body has 64 KiB, one envelope more. */
#define BLOCK_ROWS     500
#define BLOCK_BYTES    ((size_t)4 << 20)
#define PROGRESS_EVERY 10000

/* Statements made here live until the copy ends, and are forgotten then: see db/sql/query.h. */
struct texts {
    char *items[TABLES_MAX * 8];
    size_t count;
};

struct copy {
    struct sql_store *from, *to;
    const struct copy_listener *listener;
    struct tables tables;
    struct texts texts;
};

static void copy_end(struct copy *copy)
{
    statements_forget(copy->from);
    statements_forget(copy->to);
    for (size_t i = 0; i < copy->texts.count; i++)
        free(copy->texts.items[i]);
    tables_clear(&copy->tables);
}

/* Owned by the copy. */
static const char *keep(struct copy *copy, char *text)
{
    if (copy->texts.count == sizeof copy->texts.items / sizeof *copy->texts.items)
        abort();
    copy->texts.items[copy->texts.count++] = text;
    return text;
}

static enum status run(struct sql_store *store, const char *sql, struct error *err)
{
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, store, sql, err));
    return query_run(&query, err);
}

/* ---------------------------------------------------------------------------------------- reading
 */

/* All rows of a table, in pages: PostgreSQL would send them all at once. */
struct reader {
    struct copy *copy;
    struct sql_store *store;
    const struct table *table;
    const char *sql;
    const char *end; /* NULL: nothing to close */
};

static enum status reader_open(struct reader *reader, struct error *err)
{
    CLEANUP(freep) char *columns = table_columns(reader->table);
    const char *name = reader->table->name;
    struct copy *copy = reader->copy;

    if (!reader->store->driver->is_postgres) {
        reader->sql = keep(copy, text_format("SELECT %s FROM %s", columns, name));
        return STATUS_OK;
    }
    reader->sql = keep(copy, text_format("FETCH FORWARD %d FROM rows_of_%s", BLOCK_ROWS, name));
    reader->end = keep(copy, text_format("CLOSE rows_of_%s", name));
    return run(reader->store,
               keep(copy, text_format("DECLARE rows_of_%s NO SCROLL CURSOR FOR SELECT %s FROM %s",
                                      name, columns, name)),
               err);
}

/* Called with each row; its columns are read in order. */
struct row_taker {
    enum status (*take)(struct row_taker *taker, struct query *row, struct error *err);
};

static enum status read_page(struct reader *reader, struct row_taker *taker, int64_t *ret_count,
                             struct error *err)
{
    CLEANUP(query_end) struct query query = {0};

    *ret_count = 0;
    TRY(query_begin(&query, reader->store, reader->sql, err));
    while (query_next(&query)) {
        TRY(taker->take(taker, &query, err));
        ++*ret_count;
    }
    return query_status(&query, err);
}

static enum status read_all(struct reader *reader, struct row_taker *taker, struct error *err)
{
    int64_t count;

    TRY(reader_open(reader, err));
    do
        TRY(read_page(reader, taker, &count, err));
    while (reader->end != NULL && count > 0);
    return reader->end != NULL ? run(reader->store, reader->end, err) : STATUS_OK;
}

/* A number as it is, all else after its length. */
static void hash_cell(struct hasher *hasher, const struct column *column, const struct cell *cell)
{
    uint64_t length = cell->bytes.length;

    if (column->type == COLUMN_INTEGER) {
        hasher_add(hasher, &cell->integer, sizeof cell->integer);
        return;
    }
    hasher_add(hasher, &length, sizeof length);
    if (length > 0)
        hasher_add(hasher, cell->bytes.bytes, cell->bytes.length);
}

static struct cell get_cell(struct query *row, const struct column *column)
{
    const char *text;

    switch (column->type) {
    case COLUMN_INTEGER:
        return (struct cell){.integer = get_integer(row)};
    case COLUMN_TEXT:
        text = get_text(row);
        return (struct cell){.bytes = {.bytes = (const void *)text, .length = strlen(text)}};
    default:
        return (struct cell){.bytes = get_span(row)};
    }
}

/* ---------------------------------------------------------------------------------------- summing
 */

struct summing {
    struct row_taker base;
    struct copy *copy;
    const struct table *table;
    struct hasher hasher;
    struct cell *cells;
    struct table_sum sum;
};

static void add_row(struct summing *summing)
{
    struct digest digest;
    uint64_t words[2];

    for (size_t i = 0; i < summing->table->column_count; i++)
        hash_cell(&summing->hasher, &summing->table->columns[i], &summing->cells[i]);
    digest = hasher_end(&summing->hasher);
    memcpy(words, digest.bytes, sizeof words);
    summing->sum.rows++;
    summing->sum.words[0] += words[0];
    summing->sum.words[1] += words[1];
}

static void progress(const struct summing *summing, bool is_check)
{
    const struct copy_listener *listener = summing->copy->listener;

    if (summing->sum.rows % PROGRESS_EVERY == 0)
        listener->progress(listener->context, summing->table->name, summing->sum.rows, is_check);
}

static enum status sum_row(struct row_taker *taker, struct query *row, struct error *err)
{
    struct summing *summing = (struct summing *)taker;

    (void)err;
    for (size_t i = 0; i < summing->table->column_count; i++)
        summing->cells[i] = get_cell(row, &summing->table->columns[i]);
    add_row(summing);
    progress(summing, true);
    return STATUS_OK;
}

static enum status sum_table(struct copy *copy, struct sql_store *store, const struct table *table,
                             struct table_sum *ret_sum, struct error *err)
{
    struct cell cells[TABLE_COLUMNS_MAX];
    struct reader reader = {.copy = copy, .store = store, .table = table};
    struct summing summing = {
        .base = {.take = sum_row}, .copy = copy, .table = table, .cells = cells};
    enum status status;

    hasher_init(&summing.hasher);
    status = read_all(&reader, &summing.base, err);
    hasher_clear(&summing.hasher);
    *ret_sum = summing.sum;
    return status;
}

static bool is_same_sum(const struct table_sum *a, const struct table_sum *b)
{
    return a->rows == b->rows && memcmp(a->words, b->words, sizeof a->words) == 0;
}

/* ---------------------------------------------------------------------------------------- writing
 */

/* Rows on their way: their values, and the bytes of those (at an offset while the block grows). */
struct moving {
    struct summing base;
    const char *insert;
    struct cell *cells; /* BLOCK_ROWS times the columns */
    size_t *offsets;    /* of each cell's bytes */
    size_t rows;
    struct buffer bytes;
};

static enum status write_block(struct moving *moving, struct error *err)
{
    const struct summing *base = &moving->base;
    struct sql_store *to = base->copy->to;
    enum status status;

    for (size_t i = 0; i < moving->rows * base->table->column_count; i++)
        moving->cells[i].bytes.bytes = moving->bytes.bytes + moving->offsets[i];
    status =
        to->driver->insert_rows(to, moving->insert, base->table, moving->cells, moving->rows, err);
    moving->rows = 0;
    buffer_reset(&moving->bytes);
    return status;
}

/* What was read is gone with the next row. */
static enum status keep_bytes(struct moving *moving, size_t at, struct error *err)
{
    const struct span *bytes = &moving->cells[at].bytes;

    moving->offsets[at] = moving->bytes.length;
    if (bytes->length > 0)
        TRY(buffer_append(&moving->bytes, bytes->bytes, bytes->length, err));
    return buffer_append(&moving->bytes, "", 1, err);
}

static enum status move_row(struct row_taker *taker, struct query *row, struct error *err)
{
    struct moving *moving = (struct moving *)taker;
    struct summing *base = &moving->base;
    size_t columns = base->table->column_count;
    struct cell *cells = &moving->cells[moving->rows * columns];

    base->cells = cells;
    for (size_t i = 0; i < columns; i++)
        cells[i] = get_cell(row, &base->table->columns[i]);
    add_row(base);
    for (size_t i = 0; i < columns; i++)
        TRY(keep_bytes(moving, moving->rows * columns + i, err));
    moving->rows++;
    progress(base, false);
    if (moving->rows == BLOCK_ROWS || moving->bytes.length >= BLOCK_BYTES)
        return write_block(moving, err);
    return STATUS_OK;
}

static const char *insert_for(struct copy *copy, const struct table *table)
{
    CLEANUP(freep) char *columns = table_columns(table);
    bool is_postgres = copy->to->driver->is_postgres;
    char marks[TABLE_COLUMNS_MAX * 2 + 1];

    for (size_t i = 0; i < table->column_count; i++)
        memcpy(&marks[2 * i], "?,", 2);
    marks[2 * table->column_count - 1] = '\0';
    return keep(copy, text_format("INSERT INTO %s (%s) %s%s)", table->name, columns,
                                  is_postgres ? "SELECT * FROM unnest(" : "VALUES (", marks));
}

static void moving_clear(struct moving *moving)
{
    hasher_clear(&moving->base.hasher);
    buffer_clear(&moving->bytes);
    free(moving->cells);
    free(moving->offsets);
}

static enum status move_table(struct copy *copy, const struct table *table,
                              struct table_sum *ret_sum, struct error *err)
{
    struct reader reader = {.copy = copy, .store = copy->from, .table = table};
    CLEANUP(moving_clear)
    struct moving moving = {
        .base = {.base = {.take = move_row}, .copy = copy, .table = table},
        .bytes = {.max = BLOCK_BYTES * 4},
    };

    hasher_init(&moving.base.hasher);
    moving.cells = must_alloc(BLOCK_ROWS * table->column_count, sizeof *moving.cells);
    moving.offsets = must_alloc(BLOCK_ROWS * table->column_count, sizeof *moving.offsets);
    moving.insert = insert_for(copy, table);
    TRY(read_all(&reader, &moving.base.base, err));
    TRY(write_block(&moving, err));
    *ret_sum = moving.base.sum;
    return STATUS_OK;
}

/* ------------------------------------------------------------------------------------------ whole
 */

static enum status copy_begin(struct copy *copy, struct error *err)
{
    CLEANUP(tables_clear) struct tables others = {0};

    TRY(tables_load(copy->from, &copy->tables, err));
    TRY(tables_load(copy->to, &others, err));
    return tables_compare(&copy->tables, &others, err);
}

enum status store_is_blank(struct store *store, bool *ret_is_blank, struct error *err)
{
    struct site site;
    struct error none = {0};
    enum status status = store->publish->site_load(store, &site, &none);

    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return error_set(err, status, "%s", none.text);
    *ret_is_blank = status == STATUS_NOT_FOUND;
    return STATUS_OK;
}

static enum status demand_blank(struct store *store, struct error *err)
{
    bool is_blank;

    TRY(store_is_blank(store, &is_blank, err));
    if (is_blank)
        return STATUS_OK;
    return error_set(err, STATUS_CONFLICT, "the database holds a site already");
}

/* A table may refer to one that is copied later. (PostgreSQL's refer to earlier ones alone.) */
static enum status defer_references(struct sql_store *to, struct error *err)
{
    static const char sql[] = "PRAGMA defer_foreign_keys = ON";

    return to->driver->is_postgres ? STATUS_OK : run(to, sql, err);
}

static enum status move_all(struct copy *copy, struct table_sum *sums, struct error *err)
{
    for (size_t i = copy->tables.count; i > 0; i--) /* those that refer to others first */
        TRY(run(copy->to, keep(copy, text_format("DELETE FROM %s", copy->tables.items[i - 1].name)),
                err));
    for (size_t i = 0; i < copy->tables.count; i++)
        TRY(move_table(copy, &copy->tables.items[i], &sums[i], err));
    return STATUS_OK;
}

static enum status verify_all(struct copy *copy, const struct table_sum *sums, struct error *err)
{
    const struct copy_listener *listener = copy->listener;
    struct table_sum found;

    for (size_t i = 0; i < copy->tables.count; i++) {
        const char *name = copy->tables.items[i].name;

        TRY(sum_table(copy, copy->to, &copy->tables.items[i], &found, err));
        if (!is_same_sum(&sums[i], &found))
            return error_set(err, STATUS_STORAGE,
                             "table %s came out otherwise: %" PRId64 " rows of %" PRId64, name,
                             found.rows, sums[i].rows);
        listener->table(listener->context, name, &found);
    }
    return STATUS_OK;
}

static enum status tell_planner(struct sql_store *to, struct error *err)
{
    static const char sql[] = "ANALYZE";

    return to->driver->is_postgres ? run(to, sql, err) : STATUS_OK;
}

enum status store_copy(struct store *from, struct store *to, const struct copy_listener *listener,
                       struct error *err)
{
    CLEANUP(copy_end)
    struct copy copy = {.from = sql_of(from), .to = sql_of(to), .listener = listener};
    CLEANUP(snapshot_end) struct snapshot snapshot = {0};
    CLEANUP(txn_end) struct txn txn = {0};
    struct table_sum sums[TABLES_MAX];

    TRY(copy_begin(&copy, err));
    TRY(txn_begin(&txn, to, err));
    TRY(demand_blank(to, err));
    TRY(defer_references(copy.to, err));
    TRY(snapshot_begin(&snapshot, copy.from, err));
    TRY(move_all(&copy, sums, err));
    snapshot_end(&snapshot);
    TRY(verify_all(&copy, sums, err));
    TRY(txn_commit(&txn, err));
    return tell_planner(copy.to, err);
}

/* A snapshot of its own: PostgreSQL ends those that wait for long. */
static enum status sum_alone(struct copy *copy, struct sql_store *store, const struct table *table,
                             struct table_sum *ret_sum, struct error *err)
{
    CLEANUP(snapshot_end) struct snapshot snapshot = {0};

    TRY(snapshot_begin(&snapshot, store, err));
    return sum_table(copy, store, table, ret_sum, err);
}

enum status store_compare(struct store *from, struct store *to,
                          const struct copy_listener *listener, bool *ret_is_same,
                          struct error *err)
{
    CLEANUP(copy_end)
    struct copy copy = {.from = sql_of(from), .to = sql_of(to), .listener = listener};
    bool is_same = true;

    TRY(copy_begin(&copy, err));
    for (size_t i = 0; i < copy.tables.count && is_same; i++) {
        const struct table *table = &copy.tables.items[i];
        struct table_sum a, b;

        TRY(sum_alone(&copy, copy.from, table, &a, err));
        TRY(sum_alone(&copy, copy.to, table, &b, err));
        is_same = is_same_sum(&a, &b);
        if (is_same)
            listener->table(listener->context, table->name, &a);
    }
    *ret_is_same = is_same;
    return STATUS_OK;
}
