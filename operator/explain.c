/* dugnad explain: what a batch or a unit waits for, and why it failed. */
#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"
#include "operator/batches.h"
#include "operator/named_unit.h"
#include "operator/next_keyring.h"
#include "operator/remote.h"
#include "operator/verbs.h"
#include "protocol/explain.h"
#include "protocol/unit_status.h"

static void show_indented(struct session *session, const char *text)
{
    CLEANUP(freep) char *copy = text_copy(text);
    char *rest = copy, *part;

    while ((part = strsep(&rest, "\n")) != NULL)
        if (part[0] != '\0')
            (void)fprintf(session->out, "      | %s\n", part);
}

static void show_waits(struct session *session, const struct texts *waits)
{
    for (size_t i = 0; i < waits->count; i++)
        (void)fprintf(session->out, "  %s\n", waits->texts[i]);
}

/* --- a batch --- */

static void show_explanation(struct session *session, const struct batch_status *status,
                             const struct explanation *explanation)
{
    (void)fprintf(session->out, "%s is %s%s%s; %" PRId64 " of %" PRId64 " units accepted.\n",
                  status->name, batch_phase_name(status->phase), status->why[0] != '\0' ? ": " : "",
                  status->why, status->accepted, status->units);
    (void)fprintf(session->out, "%" PRId64 " hosts of %" PRId64 " volunteers visit the site.\n",
                  explanation->hosts, explanation->volunteers);
    if (explanation->waits_for.count > 0)
        (void)fprintf(session->out, "It waits for:\n");
    show_waits(session, &explanation->waits_for);
    if (explanation->failure_count > 0)
        (void)fprintf(session->out, "What failed:\n");
    for (size_t i = 0; i < explanation->failure_count; i++) {
        const struct explain_failure *failure = &explanation->failures[i];

        (void)fprintf(session->out, "  %" PRId64 " × %s; for example %s\n", failure->count,
                      failure->why, digest_format(&failure->example_unit).text);
        if (failure->stderr_tail != NULL)
            show_indented(session, failure->stderr_tail);
    }
    if (explanation->units_examined > 0)
        (void)fprintf(session->out,
                      "  (of the %" PRId64
                      " units that failed or were cancelled, the first %" PRId64
                      " are counted here)\n",
                      status->failed + status->cancelled, explanation->units_examined);
}

static enum status explain_batch(struct profile *profile, const struct options *options,
                                 struct error *err)
{
    CLEANUP(explanation_clear) struct explanation explanation = {0};
    CLEANUP(buffer_clear) struct buffer body = {0};
    CLEANUP(freep) char *path = NULL, *json = NULL;
    struct batch_status status;
    struct error why = {0};

    TRY(batch_ask(profile, options->operands[0], &status, err));
    path = text_format("/v1/batches/%s/explain", batch_format(&status.batch).text);
    TRY(remote_get(profile, path, EXPLAIN_MAX, &body, err));
    if (explanation_decode(buffer_text(&body), body.length, &explanation, &why) != STATUS_OK)
        return remote_misunderstood(&why, err);
    json = explanation_encode(&explanation);
    if (options_has(options, "json"))
        session_print(profile->session, json);
    else
        show_explanation(profile->session, &status, &explanation);
    return STATUS_OK;
}

/* --- a unit --- */

static void show_task(struct session *session, const struct task_status *task)
{
    (void)fprintf(session->out,
                  "  copy %" PRId64 " on host %" PRId64 " of volunteer %" PRId64 ": %s, sent %s",
                  task->task, task->host, task->volunteer, task_state_name(task->state),
                  shown_time(task->sent_s).text);
    if (task->reported_s != 0)
        (void)fprintf(session->out, ", reported %s", shown_time(task->reported_s).text);
    else if (task->state == TASK_SENT)
        (void)fprintf(session->out, ", due %s", shown_time(task->deadline_s).text);
    if (task->why[0] != '\0')
        (void)fprintf(session->out, ", %s", task->why);
    (void)fputc('\n', session->out);
    if (task->stderr_tail != NULL)
        show_indented(session, task->stderr_tail);
}

static void show_unit(struct session *session, const struct unit_status *unit)
{
    (void)fprintf(session->out, "Unit %s (number %" PRId64 ") is %s%s%s.\n", unit->name.text,
                  unit->index, unit_state_name(unit->state), unit->why[0] != '\0' ? ": " : "",
                  unit->why);
    if (unit->waits_for.count > 0)
        (void)fprintf(session->out, "It waits for:\n");
    show_waits(session, &unit->waits_for);
    for (size_t i = 0; i < unit->task_count; i++)
        show_task(session, &unit->tasks[i]);
}

static enum status explain_unit(struct profile *profile, const struct options *options,
                                const struct digest *digest, struct error *err)
{
    CLEANUP(unit_status_clear) struct unit_status unit = {0};
    CLEANUP(buffer_clear) struct buffer body = {0};
    CLEANUP(freep)
    char *path = text_format("/v1/units/%s", digest_format(digest).text + strlen("sha256:"));
    CLEANUP(freep) char *json = NULL;
    struct error why = {0};

    TRY(remote_get(profile, path, UNIT_STATUS_MAX, &body, err));
    if (unit_status_decode(buffer_text(&body), body.length, &unit, &why) != STATUS_OK)
        return remote_misunderstood(&why, err);
    json = unit_status_encode(&unit);
    if (options_has(options, "json"))
        session_print(profile->session, json);
    else
        show_unit(profile->session, &unit);
    return STATUS_OK;
}

static enum status explain(struct profile *profile, const struct options *options,
                           struct error *err)
{
    struct digest unit;

    TRY(named_unit_find(profile, options, &unit, err));
    return digest_is_none(&unit) ? explain_batch(profile, options, err)
                                 : explain_unit(profile, options, &unit, err);
}

static int run(void *context, const struct options *options)
{
    struct session *session = context;
    CLEANUP(profile_clear) struct profile profile = {0};
    struct error err = {0};

    if (named_unit_check(options, &err) != STATUS_OK)
        return session_usage(session, options, &err);
    if (profile_open(&profile, session, options, &err) != STATUS_OK)
        return session_fail(session, &err);
    next_keyring_warn(&profile, options);
    if (explain(&profile, options, &err) != STATUS_OK)
        return session_fail(session, &err);
    return EXIT_DONE;
}

const struct command verb_explain = {
    .name = "explain",
    .operands = "BATCH|DIGEST [UNIT]",
    .operand_min = 1,
    .operand_max = 2,
    .summary = "Say what a batch or unit waits for, and why it failed",
    .description = "Failures are grouped by cause, each with an example and the end of what it "
                   "wrote to stderr. A unit is named by its batch and name, BATCH UNIT "
                   "or BATCH/UNIT, on the machine that submitted it; anywhere by its digest, "
                   "sha256:….",
    .examples = "  dugnad explain primes\n  dugnad explain primes 0-1000\n",
    .run = run,
};
