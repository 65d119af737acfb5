/*
 * What is inside of values: outputs and the bodies they name.
 *
 * Tasks lie in the order of their units, bodies and references in that of digests. To look each
 * output of each accepted task up would read a page of the disk for each, so they are compared as
 * sums: of (digest, unit), hashed, over all accepted outputs, and over all references to outputs.
 * Equal sums mean equal sets. Only if they differ, or a body is missing, is every output looked up
 * to say which.
 */
#include <stdlib.h>
#include <string.h>

#include "db/outputs.h"
#include "db/publish.h"
#include "db/sql/check.h"
#include "db/sql/query.h"
#include "work-units/unit.h"

#define TASKS_PAGE      2000
#define REFERENCES_PAGE 5000
#define BODIES_PAGE     200 /* of at most 64 KiB each */

struct sum {
    uint64_t words[2];
};

struct looking {
    struct checker *checker;
    bool is_each_looked_up; /* the slow way, that names what is wrong */
    struct sum wanted, found;
    bool is_body_missing;
    int64_t unit;        /* whose outputs were met last */
    struct digest *seen; /* those, each once */
    size_t seen_count;
};

static void looking_clear(struct looking *looking)
{
    free(looking->seen);
}

static void sum_add(struct sum *sum, const struct digest *file, int64_t unit)
{
    uint8_t bytes[DIGEST_BYTES + sizeof unit];
    uint64_t words[2];
    struct digest digest;

    memcpy(bytes, file->bytes, DIGEST_BYTES);
    memcpy(bytes + DIGEST_BYTES, &unit, sizeof unit);
    digest = digest_of(bytes, sizeof bytes);
    memcpy(words, digest.bytes, sizeof words);
    sum->words[0] += words[0];
    sum->words[1] += words[1];
}

/* Its tasks agree, and two outputs may be equal: one reference keeps them all. */
static void want(struct looking *looking, const struct digest *file, int64_t unit)
{
    if (unit != looking->unit)
        looking->seen_count = 0;
    looking->unit = unit;
    for (size_t i = 0; i < looking->seen_count; i++)
        if (digest_equals(&looking->seen[i], file))
            return;
    if (looking->seen_count < (size_t)UNIT_TASKS_MAX * UNIT_OUTPUTS_MAX)
        looking->seen[looking->seen_count++] = *file;
    sum_add(&looking->wanted, file, unit);
}

static enum status is_kept(struct checker *checker, const struct digest *digest, bool *ret_is_kept,
                           struct error *err)
{
    static const char sql[] = "SELECT EXISTS (SELECT 1 FROM body WHERE digest = ?1)"
                              " OR EXISTS (SELECT 1 FROM file WHERE digest = ?1)";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, checker->store, sql, err));
    bind_digest(&query, digest);
    *ret_is_kept = query_next(&query) && get_bool(&query);
    return query_status(&query, err);
}

static enum status is_referred_to(struct checker *checker, const struct digest *digest,
                                  int64_t unit, bool *ret_is_referred_to, struct error *err)
{
    static const char sql[] =
        "SELECT 1 FROM file_reference WHERE file = ? AND kind = ? AND subject = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, checker->store, sql, err));
    bind_digest(&query, digest);
    bind_integer(&query, FILE_OUTPUT);
    bind_integer(&query, unit);
    *ret_is_referred_to = query_next(&query);
    return query_status(&query, err);
}

static enum status look_up(struct checker *checker, int64_t task, const struct output *output,
                           struct error *err)
{
    bool kept, referred_to;

    TRY(is_kept(checker, &output->digest, &kept, err));
    TRY(is_referred_to(checker, &output->digest, task / UNIT_TASKS_MAX, &referred_to, err));
    if (!kept)
        complain(checker, "task %lld was accepted and the body of its %s is not here",
                 (long long)task, output->name);
    if (!referred_to)
        complain(checker, "task %lld was accepted and nothing keeps the body of its %s",
                 (long long)task, output->name);
    return STATUS_OK;
}

static void check_result(struct checker *checker, int64_t task, const struct digest *result,
                         const struct digest *found)
{
    if (!digest_is_none(result) && !digest_equals(found, result))
        complain(checker, "task %lld has a result that is not that of its outputs",
                 (long long)task);
}

struct finished {
    int64_t id;
    struct digest result;
    struct span outputs;
    bool is_accepted;
};

static enum status check_outputs(struct looking *looking, const struct finished *task,
                                 struct error *err)
{
    enum status status = STATUS_OK;
    struct output *outputs;
    struct digest found;
    size_t count;

    if (!outputs_decode(task->outputs.bytes, task->outputs.length, &outputs, &count)) {
        if (!looking->is_each_looked_up)
            complain(looking->checker, "task %lld has damaged outputs", (long long)task->id);
        return STATUS_OK;
    }
    found = result_digest(outputs, count);
    if (!looking->is_each_looked_up)
        check_result(looking->checker, task->id, &task->result, &found);
    for (size_t i = 0; i < count && task->is_accepted && status == STATUS_OK; i++) {
        if (looking->is_each_looked_up)
            status = look_up(looking->checker, task->id, &outputs[i], err);
        else
            want(looking, &outputs[i].digest, task->id / UNIT_TASKS_MAX);
    }
    outputs_free(outputs, count);
    return status;
}

/* *after becomes the last task looked at; *ret_count is how many there were. */
static enum status check_tasks_page(struct looking *looking, int64_t *after, int *ret_count,
                                    struct error *err)
{
    static const char sql[] =
        "SELECT t.id, t.result, t.outputs, a.task IS NOT NULL FROM task t"
        " LEFT JOIN unit u ON u.id = t.id / 16 AND u.state = 4"
        " LEFT JOIN acceptance_task a ON a.task = t.id AND a.revision = u.revision"
        " WHERE t.id > ? AND (t.outputs IS NOT NULL OR t.result IS NOT NULL)"
        " ORDER BY t.id LIMIT ?";
    CLEANUP(query_end) struct query query = {0};

    *ret_count = 0;
    TRY(query_begin(&query, looking->checker->store, sql, err));
    bind_integer(&query, *after);
    bind_integer(&query, TASKS_PAGE);
    while (query_next(&query)) {
        struct finished task = {.id = get_integer(&query)};

        task.result = get_digest(&query);
        task.outputs = get_span(&query);
        task.is_accepted = get_bool(&query);
        TRY(check_outputs(looking, &task, err));
        *after = task.id;
        ++*ret_count;
    }
    return query_status(&query, err);
}

static enum status check_tasks(struct looking *looking, struct error *err)
{
    int64_t after = 0, done = 0;
    int count;

    looking->checker->said = 0;
    do {
        check_progress(looking->checker, "outputs of tasks", done);
        TRY(check_tasks_page(looking, &after, &count, err));
        done += count;
    } while (count == TASKS_PAGE);
    return STATUS_OK;
}

struct reference {
    struct digest file;
    int64_t unit;
};

static enum status sum_references_page(struct looking *looking, struct reference *after,
                                       int *ret_count, struct error *err)
{
    static const char sql[] =
        "SELECT r.file, r.subject, EXISTS (SELECT 1 FROM body b WHERE b.digest = r.file)"
        " OR EXISTS (SELECT 1 FROM file f WHERE f.digest = r.file) FROM file_reference r"
        " WHERE r.kind = 3 AND (r.file, r.kind, r.subject) > (?, 3, ?)"
        " ORDER BY r.file, r.kind, r.subject LIMIT ?";
    CLEANUP(query_end) struct query query = {0};

    _Static_assert(FILE_OUTPUT == 3, "as in the statement above");
    *ret_count = 0;
    TRY(query_begin(&query, looking->checker->store, sql, err));
    bind_bytes(&query, after->file.bytes, DIGEST_BYTES);
    bind_integer(&query, after->unit);
    bind_integer(&query, REFERENCES_PAGE);
    while (query_next(&query)) {
        after->file = get_digest(&query);
        after->unit = get_integer(&query);
        looking->is_body_missing |= !get_bool(&query);
        sum_add(&looking->found, &after->file, after->unit);
        ++*ret_count;
    }
    return query_status(&query, err);
}

static enum status sum_references(struct looking *looking, struct error *err)
{
    struct reference after = {0};
    int64_t done = 0;
    int count;

    do {
        check_progress(looking->checker, "what keeps outputs", done);
        TRY(sum_references_page(looking, &after, &count, err));
        done += count;
    } while (count == REFERENCES_PAGE);
    return STATUS_OK;
}

static bool is_fine(const struct looking *looking)
{
    return !looking->is_body_missing &&
           memcmp(&looking->wanted, &looking->found, sizeof looking->wanted) == 0;
}

static enum status check_all_outputs(struct checker *checker, struct error *err)
{
    CLEANUP(looking_clear) struct looking looking = {.checker = checker};

    looking.seen = must_alloc((size_t)UNIT_TASKS_MAX * UNIT_OUTPUTS_MAX, sizeof *looking.seen);
    TRY(check_tasks(&looking, err));
    TRY(sum_references(&looking, err));
    if (is_fine(&looking))
        return STATUS_OK;
    looking.is_each_looked_up = true;
    return check_tasks(&looking, err);
}

static enum status check_bodies_page(struct checker *checker, struct digest *after, int *ret_count,
                                     struct error *err)
{
    static const char sql[] =
        "SELECT digest, bytes FROM body WHERE digest > ? ORDER BY digest LIMIT ?";
    CLEANUP(query_end) struct query query = {0};

    *ret_count = 0;
    TRY(query_begin(&query, checker->store, sql, err));
    bind_bytes(&query, after->bytes, DIGEST_BYTES);
    bind_integer(&query, BODIES_PAGE);
    while (query_next(&query)) {
        const struct digest digest = get_digest(&query);
        struct span bytes = get_span(&query);
        const struct digest found = digest_of(bytes.bytes, bytes.length);

        if (!digest_equals(&found, &digest))
            complain(checker, "body %s has other bytes", digest_format(&digest).text);
        *after = digest;
        ++*ret_count;
    }
    return query_status(&query, err);
}

static enum status check_bodies(struct checker *checker, struct error *err)
{
    struct digest after = {0};
    int64_t done = 0;
    int count;

    checker->said = 0;
    do {
        check_progress(checker, "bodies", done);
        TRY(check_bodies_page(checker, &after, &count, err));
        done += count;
    } while (count == BODIES_PAGE);
    return STATUS_OK;
}

enum status check_values(struct checker *checker, struct error *err)
{
    TRY(check_all_outputs(checker, err));
    return check_bodies(checker, err);
}
