#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "tests/sim/sim.h"
#include "work-units/unit.h"

bool sim_is_big(const struct digest *unit)
{
    return unit->bytes[0] % 5 == 0;
}

void sim_output(const struct digest *unit, bool is_big, int liar, struct buffer *ret_body)
{
    struct digest_text text = digest_format(unit);

    buffer_init(ret_body, SIM_BIG_BYTES + 200);
    (void)buffer_printf(ret_body, NULL, "%s %d\n", text.text, liar);
    while (is_big && ret_body->length < SIM_BIG_BYTES)
        (void)buffer_append_text(ret_body, text.text, NULL);
}

struct digest sim_right_result(const struct digest *unit, bool is_big)
{
    CLEANUP(buffer_clear) struct buffer body;
    struct output output = {.name = SIM_OUTPUT};

    sim_output(unit, is_big, 0, &body);
    output.digest = digest_of(body.bytes, body.length);
    output.size_bytes = (int64_t)body.length;
    return result_digest(&output, 1);
}

int64_t sim_units_open(struct sim *sim)
{
    return sim_value(&sim->site, "SELECT count(*) FROM unit WHERE state < 4");
}

struct sim_shadow *sim_shadow_of(struct sim *sim, int64_t task)
{
    for (size_t i = 0; i < sim->shadow_count; i++)
        if (sim->shadow[i].task == task)
            return &sim->shadow[i];
    return NULL;
}

/* I2: accepted only by the signed rule, on rows that say so; and never a wrong result. */
static void check_agreed(struct sim *sim)
{
    CLEANUP(sim_finalize)
    sqlite3_stmt *row = sim_prepare(
        &sim->site, "SELECT u.id, u.digest, u.quorum, t.result, count(*), count(DISTINCT t.result)"
                    " FROM unit u JOIN acceptance a ON a.unit = u.id AND a.revision = u.revision"
                    " JOIN task t ON t.id / 16 = u.id"
                    " JOIN acceptance_task x ON x.task = t.id AND x.revision = a.revision"
                    " WHERE u.state = 4 AND t.state = 3 GROUP BY u.id");
    int64_t seen = 0;

    while (sqlite3_step(row) == SQLITE_ROW) {
        struct digest unit, right;

        seen++;
        memcpy(unit.bytes, sqlite3_column_blob(row, 1), sizeof unit.bytes);
        right = sim_right_result(&unit, sim_is_big(&unit));
        if (sqlite3_column_int(row, 4) < sqlite3_column_int(row, 2) ||
            sqlite3_column_int(row, 5) != 1)
            sim_fail(&sim->site, "I2: unit %lld is accepted without its quorum",
                     (long long)sqlite3_column_int64(row, 0));
        if (memcmp(right.bytes, sqlite3_column_blob(row, 3), sizeof right.bytes) != 0)
            sim_fail(&sim->site, "I2: unit %lld is accepted with a wrong result",
                     (long long)sqlite3_column_int64(row, 0));
    }
    if (seen != sim_value(&sim->site, "SELECT count(*) FROM unit WHERE state = 4"))
        sim_fail(&sim->site, "I2: a unit is accepted without an acceptance");
}

/* Each of these counts what must never be. */
static void check_rows(struct sim *sim)
{
    static const struct {
        const char *what;
        const char *sql;
    } never[] = {
        {"I3: two tasks of a unit share a volunteer",
         "SELECT count(*) FROM task a JOIN task b ON b.id > a.id AND b.id / 16 = a.id / 16"
         " AND b.id < (a.id / 16 + 1) * 16 WHERE a.volunteer = b.volunteer"},
        {"I4: credit was given twice",
         "SELECT count(*) FROM (SELECT 1 FROM journal WHERE kind = 12 GROUP BY subject"
         " HAVING count(*) > 1)"},
        {"I4: a host's credit is not the sum of its tasks'",
         "SELECT count(*) FROM host h WHERE h.credit <>"
         " (SELECT coalesce(sum(t.credit), 0) FROM task t WHERE t.host = h.id)"},
        {"I4: credit without a right result of an accepted unit",
         "SELECT count(*) FROM task t JOIN unit u ON u.id = t.id / 16"
         " WHERE t.credit > 0 AND (t.state NOT IN (3, 5) OR u.state <> 4)"},
        {"I4: an agreed task of an accepted unit has no credit",
         "SELECT count(*) FROM task t JOIN unit u ON u.id = t.id / 16"
         " WHERE t.credit = 0 AND t.state = 3 AND u.state = 4"},
        {"I6: an open unit waits for nothing",
         "SELECT count(*) FROM unit u WHERE u.state = 1 AND u.copies_wanted = 0 AND NOT EXISTS"
         " (SELECT 1 FROM task t WHERE t.id BETWEEN u.id * 16 AND u.id * 16 + 15 AND t.state = 1)"},
        {"I6: a failed unit has no reason", "SELECT count(*) FROM unit WHERE state = 5 AND"
                                            " failure = 0"},
    };

    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (sim_value(&sim->site, never[i].sql) != 0)
            sim_fail(&sim->site, "%s", never[i].what);
}

/* I4: what a host was told is still so. */
static void check_told(struct sim *sim)
{
    CLEANUP(sim_finalize)
    sqlite3_stmt *row =
        sim_prepare(&sim->site, "SELECT state, host, reported_s FROM task WHERE id = ?");

    for (size_t i = 0; i < sim->shadow_count; i++) {
        const struct sim_shadow *shadow = &sim->shadow[i];

        (void)sqlite3_bind_int64(row, 1, shadow->task);
        if (sqlite3_step(row) != SQLITE_ROW || sqlite3_column_int64(row, 1) != shadow->host)
            sim_fail(&sim->site, "I4: task %lld is not the one that was granted",
                     (long long)shadow->task);
        if (shadow->is_acked && sqlite3_column_int64(row, 2) == 0)
            sim_fail(&sim->site, "I4: the acknowledged report of task %lld is lost",
                     (long long)shadow->task);
        (void)sqlite3_reset(row);
    }
}

static void say(void *context, const char *complaint)
{
    (void)context;
    fprintf(stderr, "sim: %s\n", complaint);
}

/* All that the store itself can tell of its rows. Dear: not at each step. */
void sim_check_store(struct sim *sim)
{
    struct error err = {0};
    int64_t faults = 0;

    if (sim->site.store->check(sim->site.store, &(struct store_check){.say = say}, &faults, &err) !=
        STATUS_OK)
        sim_fail(&sim->site, "the store cannot be checked: %s", err.detail);
    if (faults != 0)
        sim_fail(&sim->site, "the store has %lld faults", (long long)faults);
}

void sim_check(struct sim *sim)
{
    check_agreed(sim);
    check_rows(sim);
    check_told(sim);
}
