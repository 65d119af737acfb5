/* dugnad close, cancel, hold, release, retry: what may be done with a batch. */
#include <inttypes.h>

#include "operator/batches.h"
#include "operator/verbs.h"

#define RETRY_LOOK_MS 500

static int act(struct session *session, const struct options *options, enum batch_action action)
{
    const struct batch_action_request request = {.action = action};
    CLEANUP(profile_clear) struct profile profile = {0};
    struct batch_status status;
    struct error err = {0};

    if (profile_open(&profile, session, options, &err) != STATUS_OK ||
        batch_ask(&profile, options->operands[0], &status, &err) != STATUS_OK ||
        batch_act(&profile, &status.batch, &request, &status, &err) != STATUS_OK)
        return session_fail(session, &err);
    if (options_has(options, "json")) {
        CLEANUP(freep) char *json = batch_status_encode(&status);

        session_print(session, json);
    } else {
        (void)fprintf(session->out, "%s is now %s: %" PRId64 " of %" PRId64 " units accepted.\n",
                      status.name, batch_phase_name(status.phase), status.accepted, status.units);
    }
    return EXIT_DONE;
}

static int run_close(void *context, const struct options *options)
{
    return act(context, options, ACTION_CLOSE);
}

/* What is cancelled does not come back: a person at a terminal is asked. */
static int run_cancel(void *context, const struct options *options)
{
    struct session *session = context;

    if (options_has(options, "yes"))
        return act(session, options, ACTION_CANCEL);
    if (!session->can_ask) {
        struct error err;

        (void)error_set(&err, STATUS_INVALID,
                        "nothing was cancelled: there is no terminal to ask at, so say --yes");
        return session_usage(session, options, &err);
    }
    if (!session_confirm(session, "Cancel the batch? Units that have not ended are lost."))
        return session_is_interrupted(session) ? EXIT_INTERRUPTED : EXIT_FAILED;
    return act(session, options, ACTION_CANCEL);
}

static int run_hold(void *context, const struct options *options)
{
    return act(context, options, ACTION_HOLD);
}

static int run_release(void *context, const struct options *options)
{
    return act(context, options, ACTION_RELEASE);
}

/* A large batch is retried slice by slice: what came of it is known at the end. */
static enum status await_retry(struct profile *profile, struct batch_status *status,
                               struct error *err)
{
    while (status->retry.is_running && !session_is_interrupted(profile->session)) {
        session_wait(profile->session, RETRY_LOOK_MS);
        TRY(batch_ask(profile, batch_format(&status->batch).text, status, err));
    }
    return STATUS_OK;
}

static void say_left(FILE *out, int64_t count, const char *why)
{
    if (count > 0)
        (void)fprintf(out, "  %" PRId64 " stay failed: %s\n", count, why);
}

static void say_retried(FILE *out, const struct batch_status *status)
{
    const struct retry_status *retry = &status->retry;

    if (!retry->is_there) {
        (void)fprintf(out, "%s has no unit that failed: nothing is tried again.\n", status->name);
        return;
    }
    (void)fprintf(out, "%s: %" PRId64 " units that failed are tried again.\n", status->name,
                  retry->reopened);
    say_left(out, retry->expired,
             "their signed validity has ended by the server's clock (submit them anew, under "
             "another name)");
    say_left(out, retry->revoked,
             "they, their batch, their app version or the key that signed them were revoked");
    say_left(out, retry->spent,
             "no task is left of the most that are signed (submit them anew, with a larger "
             "--max-tasks)");
    if (retry->is_running)
        (void)fprintf(out, "  it is not through yet: see 'dugnad status %s'\n", status->name);
}

static bool left_any(const struct retry_status *retry)
{
    return retry->expired + retry->revoked + retry->spent > 0;
}

static int run_retry(void *context, const struct options *options)
{
    static const struct batch_action_request request = {.action = ACTION_RETRY};
    struct session *session = context;
    CLEANUP(profile_clear) struct profile profile = {0};
    struct batch_status status;
    struct error err = {0};

    if (profile_open(&profile, session, options, &err) != STATUS_OK ||
        batch_ask(&profile, options->operands[0], &status, &err) != STATUS_OK ||
        batch_act(&profile, &status.batch, &request, &status, &err) != STATUS_OK ||
        await_retry(&profile, &status, &err) != STATUS_OK)
        return session_fail(session, &err);
    if (options_has(options, "json")) {
        CLEANUP(freep) char *json = batch_status_encode(&status);

        session_print(session, json);
    } else {
        say_retried(session->out, &status);
    }
    if (status.retry.is_running)
        return EXIT_INTERRUPTED;
    return left_any(&status.retry) ? EXIT_NOT_ALL : EXIT_DONE;
}

static const struct option_rule cancel_rules[] = {
    {.name = "yes", .help = "Do not ask; needed where there is no terminal."},
};

#define ON_A_BATCH .operands = "BATCH", .operand_min = 1, .operand_max = 1

const struct command verb_close = {
    .name = "close",
    ON_A_BATCH,
    .summary = "Say that no more units will be added to a batch",
    .examples = "  dugnad close primes\n",
    .run = run_close,
};

const struct command verb_cancel = {
    .name = "cancel",
    ON_A_BATCH,
    .summary = "End a batch now; accepted results stay",
    .examples = "  dugnad cancel primes --yes\n",
    .options = cancel_rules,
    .option_count = 1,
    .run = run_cancel,
};

const struct command verb_hold = {
    .name = "hold",
    ON_A_BATCH,
    .summary = "Send out nothing new of a batch; what runs goes on",
    .examples = "  dugnad hold primes\n",
    .run = run_hold,
};

const struct command verb_release = {
    .name = "release",
    ON_A_BATCH,
    .summary = "Let a batch go on that was held or paused itself",
    .examples = "  dugnad release primes\n",
    .run = run_release,
};

const struct command verb_retry = {
    .name = "retry",
    ON_A_BATCH,
    .summary = "Try the failed units of a batch once more",
    .description = "Says how many are tried again, and how many stay failed and why: whose signed "
                   "validity has ended, that were revoked (they, or what signed them), or that "
                   "have no task left of the most "
                   "that are signed. Ends with 3 if any stay failed. What a wrong clock of the "
                   "server ended, and is valid now, is tried again, too.",
    .examples = "  dugnad retry primes\n",
    .run = run_retry,
};
