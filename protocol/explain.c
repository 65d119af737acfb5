#include "protocol/explain.h"

#include "protocol/batch_json.h"

void explanation_clear(struct explanation *explanation)
{
    for (size_t i = 0; i < explanation->failure_count; i++)
        free(explanation->failures[i].stderr_tail);
    free(explanation->failures);
    texts_clear(&explanation->waits_for);
    *explanation = (struct explanation){0};
}

static void read_failures(struct members *root, struct explanation *explanation)
{
    struct members_list list = members_list(root, "failures", 0, EXPLAIN_FAILURES_MAX);
    struct members part;

    explanation->failures = must_alloc(list.count, sizeof *explanation->failures);
    for (size_t i = 0; i < list.count && !members_failed(root); i++) {
        struct explain_failure *failure = &explanation->failures[i];

        list_object(&list, i, &part);
        members_copy_text(&part, "why", failure->why, sizeof failure->why);
        failure->count = members_id(&part, "count");
        failure->example_unit = members_digest(&part, "example_unit");
        failure->stderr_tail = members_shown_text(&part, "stderr", EXPLAIN_STDERR_MAX);
        explanation->failure_count = i + 1;
    }
}

enum status explanation_decode(const char *body, size_t length, struct explanation *ret_explanation,
                               struct error *err)
{
    CLEANUP(explanation_clear) struct explanation explanation = {0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(reply_begin(body, length, EXPLAIN_MAX, &root, &members, err));
    explanation.phase = read_batch_phase(&members, "state");
    explanation.waits_for = members_texts(&members, "waits_for", EXPLAIN_WAITS_MAX, WHY_MAX);
    read_failures(&members, &explanation);
    explanation.units_examined = members_integer_or(&members, "units_examined", 1, ID_MAX, 0);
    explanation.hosts = members_count(&members, "hosts");
    explanation.volunteers = members_count(&members, "volunteers");
    TRY(members_end(&members));
    GIVE(ret_explanation, explanation);
    return STATUS_OK;
}

char *explanation_encode(const struct explanation *explanation)
{
    struct writer writer;

    writer_init(&writer);
    write_text(&writer, "state", batch_phase_name(explanation->phase));
    write_texts(&writer, "waits_for", &explanation->waits_for);
    write_open(&writer, "failures", '[');
    for (size_t i = 0; i < explanation->failure_count; i++) {
        const struct explain_failure *failure = &explanation->failures[i];

        write_open(&writer, NULL, '{');
        write_text(&writer, "why", failure->why);
        write_integer(&writer, "count", failure->count);
        write_digest(&writer, "example_unit", &failure->example_unit);
        if (failure->stderr_tail != NULL)
            write_text(&writer, "stderr", failure->stderr_tail);
        write_close(&writer, '}');
    }
    write_close(&writer, ']');
    write_integer_unless_zero(&writer, "units_examined", explanation->units_examined);
    write_integer(&writer, "hosts", explanation->hosts);
    write_integer(&writer, "volunteers", explanation->volunteers);
    return writer_end(&writer);
}
