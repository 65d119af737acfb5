/* What is inside of values: outputs and the bodies they name. */
#include "db/outputs.h"
#include "db/publish.h"
#include "db/sql/check.h"
#include "db/sql/query.h"
#include "work-units/unit.h"

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

static enum status check_accepted(struct checker *checker, int64_t task,
                                  const struct output *output, struct error *err)
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

static enum status check_outputs(struct checker *checker, int64_t task, bool is_accepted,
                                 const struct digest *result, struct span encoded,
                                 struct error *err)
{
    enum status status = STATUS_OK;
    struct output *outputs;
    struct digest found;
    size_t count;

    if (!outputs_decode(encoded.bytes, encoded.length, &outputs, &count)) {
        complain(checker, "task %lld has damaged outputs", (long long)task);
        return STATUS_OK;
    }
    found = result_digest(outputs, count);
    if (!digest_is_none(result) && !digest_equals(&found, result))
        complain(checker, "task %lld has a result that is not that of its outputs",
                 (long long)task);
    for (size_t i = 0; i < count && is_accepted && status == STATUS_OK; i++)
        status = check_accepted(checker, task, &outputs[i], err);
    outputs_free(outputs, count);
    return status;
}

static enum status check_tasks(struct checker *checker, struct error *err)
{
    static const char sql[] =
        "SELECT t.id, t.result, t.outputs, EXISTS (SELECT 1 FROM unit u JOIN acceptance_task a"
        " ON a.task = t.id AND a.revision = u.revision WHERE u.id = t.id / 16 AND u.state = 4)"
        " FROM task t WHERE t.outputs IS NOT NULL OR t.result IS NOT NULL";
    CLEANUP(query_end) struct query query = {0};

    checker->said = 0;
    TRY(query_begin(&query, checker->store, sql, err));
    while (query_next(&query)) {
        int64_t task = get_integer(&query);
        const struct digest result = get_digest(&query);
        struct span outputs = get_span(&query);

        TRY(check_outputs(checker, task, get_bool(&query), &result, outputs, err));
    }
    return query_status(&query, err);
}

static enum status check_bodies(struct checker *checker, struct error *err)
{
    static const char sql[] = "SELECT digest, bytes FROM body";
    CLEANUP(query_end) struct query query = {0};

    checker->said = 0;
    TRY(query_begin(&query, checker->store, sql, err));
    while (query_next(&query)) {
        const struct digest digest = get_digest(&query);
        struct span bytes = get_span(&query);
        const struct digest found = digest_of(bytes.bytes, bytes.length);

        if (!digest_equals(&found, &digest))
            complain(checker, "body %s has other bytes", digest_format(&digest).text);
    }
    return query_status(&query, err);
}

enum status check_values(struct checker *checker, struct error *err)
{
    TRY(check_tasks(checker, err));
    return check_bodies(checker, err);
}
