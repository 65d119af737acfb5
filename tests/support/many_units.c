#include "tests/support/many_units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/text.h"
#include "db/outputs.h"

#define FIRST   INT64_C(1000) /* id and place of the first of them */
#define AT_ONCE 200

/* `made` holds what each unit's output is; 16 and 17
 * are the tasks of unit 1. */
static const char *const statements[] = {
    "INSERT INTO unit SELECT n.unit, version, state, failure, copies_wanted, extra, revision, "
    "batch,"
    " app_version, n.unit, quorum, copies, max_failures, max_tasks, independence, deadline_span_s,"
    " declared_ops, memory_bytes, disk_bytes, output_bytes, not_before_s, not_after_s, signer, "
    "classes,"
    " platforms, pinned_class, n.result FROM unit, made n WHERE id = 1",
    "INSERT INTO manifest SELECT n.unit, batch, 'many' || n.unit, envelope FROM manifest m, made n"
    " WHERE m.unit = 1",
    "INSERT INTO task SELECT n.unit * 16 + id % 16, state, cause, cause_detail, host, volunteer,"
    " organisation, server, incarnation, visit, variant, sent_s, deadline_up_s, deadline_s,"
    " reported_s, cpu_ms, credit, asked, asked_up_s, told, live, prefix, n.result, n.outputs"
    " FROM task, made n WHERE id IN (16, 17)",
    "INSERT INTO visit SELECT 1000000 - id % 16 + n.unit * 16, host, 1000 + n.unit, time_s,"
    " statement FROM visit, made n WHERE id IN (SELECT visit FROM report WHERE task IN (16, 17))",
    "INSERT INTO report SELECT n.unit * 16 + task % 16, 1000000 - visit % 16 + n.unit * 16,"
    " exit_status, wall_ms, peak_memory_bytes, why, stderr FROM report, made n"
    " WHERE task IN (16, 17)",
    "INSERT INTO body SELECT digest, 1, bytes FROM made",
    "INSERT INTO file_reference SELECT digest, 3, unit FROM made",
    "INSERT INTO acceptance SELECT n.unit, revision, quorum, independence, time_s"
    " FROM acceptance a, made n WHERE a.unit = 1",
    "INSERT INTO acceptance_task SELECT n.unit * 16 + task % 16, revision FROM acceptance_task,"
    " made n WHERE task IN (16, 17)",
    "INSERT INTO journal SELECT 1, n.seq, time_s, kind, n.unit, detail FROM batch_result r, made n"
    " WHERE r.unit = 1",
    "INSERT INTO journal SELECT 1, n.seq + 1 + subject % 16, time_s, kind,"
    " n.unit * 16 + subject % 16, detail FROM journal, made n"
    " WHERE kind = 12 AND subject IN (16, 17)",
    "INSERT INTO batch_result SELECT batch, 1, n.seq, kind, n.unit, detail, time_s"
    " FROM batch_result r, made n WHERE r.unit = 1",
    "UPDATE batch SET units = units + (SELECT count(*) FROM made),"
    " units_accepted = units_accepted + (SELECT count(*) FROM made),"
    " last_unit = (SELECT max(unit) FROM made)",
    "UPDATE tally SET count = count + (SELECT count(*) FROM made) WHERE kind = 1 AND what = 5",
    "UPDATE tally SET count = count + 2 * (SELECT count(*) FROM made) WHERE kind = 2 AND what = 3",
    "UPDATE host SET credit = credit * ((SELECT count(*) FROM made) + 1)",
    "UPDATE id_block SET next = (SELECT max(seq) + 1 FROM journal) WHERE server = 1 AND kind = 8",
    "DROP TABLE made",
};

static void must(enum status status)
{
    if (status != STATUS_OK)
        abort();
}

static void add_bytes(struct buffer *sql, const void *bytes, size_t length)
{
    const uint8_t *from = bytes;

    must(buffer_printf(sql, NULL, database_is_postgres() ? "'\\x" : "x'"));
    for (size_t i = 0; i < length; i++)
        must(buffer_printf(sql, NULL, "%02x", from[i]));
    must(buffer_printf(sql, NULL, database_is_postgres() ? "'::bytea" : "'"));
}

static void add_row(struct buffer *sql, int64_t unit, int64_t seq)
{
    CLEANUP(freep) char *text = text_format("%" PRId64 "\n", unit);
    struct output output = {.name = "out.txt",
                            .digest = digest_of(text, strlen(text)),
                            .size_bytes = (int64_t)strlen(text),
                            .is_stored = true};
    const struct digest result = result_digest(&output, 1);
    size_t length;
    void *outputs = outputs_encode(&output, 1, &length);

    must(buffer_printf(sql, NULL, "(%" PRId64 ", %" PRId64 ", ", unit, seq));
    add_bytes(sql, output.digest.bytes, DIGEST_BYTES);
    must(buffer_printf(sql, NULL, ", "));
    add_bytes(sql, result.bytes, DIGEST_BYTES);
    must(buffer_printf(sql, NULL, ", "));
    add_bytes(sql, outputs, length);
    free(outputs);
    must(buffer_printf(sql, NULL, ", "));
    add_bytes(sql, text, strlen(text));
    must(buffer_printf(sql, NULL, ")"));
}

static void make_rows(struct database_view *view, int64_t first, int64_t count, int64_t seq)
{
    CLEANUP(buffer_clear) struct buffer sql = {.max = (size_t)1 << 20};

    must(buffer_printf(&sql, NULL, "INSERT INTO made VALUES "));
    for (int64_t i = 0; i < count; i++) {
        if (i > 0)
            must(buffer_printf(&sql, NULL, ", "));
        add_row(&sql, first + i, seq + 3 * i);
    }
    (void)database_change(view, buffer_text(&sql));
}

void site_add_accepted(struct test_site *site, int64_t count)
{
    const char *type = database_is_postgres() ? "BYTEA" : "BLOB";
    CLEANUP(freep)
    char *make = text_format("CREATE TEMP TABLE made (unit BIGINT, seq BIGINT, digest %s,"
                             " result %s, outputs %s, bytes %s)",
                             type, type, type, type);
    struct database_view *view = database_look(site->path);
    int64_t seq = database_number(view, "SELECT max(seq) FROM journal") + 1;

    (void)database_change(view, "BEGIN");
    (void)database_change(view, make);
    for (int64_t i = 0; i < count; i += AT_ONCE)
        make_rows(view, FIRST + i, count - i < AT_ONCE ? count - i : AT_ONCE, seq + 3 * i);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        (void)database_change(view, statements[i]);
    (void)database_change(view, "COMMIT");
    database_leave(view);
}
