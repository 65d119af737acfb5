/* dugnad watch: follow a batch until it ends. */
#include <string.h>

#include "operator/batches.h"
#include "operator/next_keyring.h"
#include "operator/show_batch.h"
#include "operator/verbs.h"

#define INTERVAL_DEFAULT_S 2

/* On a terminal one line that is drawn anew; in a pipe a line whenever something changed. */
static void draw(struct session *session, const struct options *options,
                 const struct batch_status *status)
{
    if (options_has(options, "json")) {
        CLEANUP(freep) char *json = batch_status_encode(status);

        session_print(session, json);
    } else if (session->is_terminal) {
        session_redraw(session);
        show_bar(session->err, status, session_columns(session));
        (void)fflush(session->err);
        return;
    } else {
        show_counts(session->out, status);
        (void)fputc('\n', session->out);
    }
    (void)fflush(session->out);
}

static bool has_changed(const struct batch_status *a, const struct batch_status *b)
{
    return a->phase != b->phase || a->units != b->units || a->accepted != b->accepted ||
           a->running != b->running || a->failed != b->failed || a->cancelled != b->cancelled ||
           a->judging != b->judging || a->agreed != b->agreed;
}

static enum status follow(struct profile *profile, const struct options *options,
                          int64_t interval_s, struct batch_status *ret_status, struct error *err)
{
    struct session *session = profile->session;
    struct batch_status seen = {0};

    for (;;) {
        TRY(batch_ask(profile, options->operands[0], ret_status, err));
        if (has_changed(&seen, ret_status))
            draw(session, options, ret_status);
        seen = *ret_status;
        if (batch_has_ended(ret_status) || session_is_interrupted(session) ||
            session_has_lost_output(session))
            break;
        session_wait(session, interval_s * 1000);
    }
    session_end_line(session);
    return STATUS_OK;
}

static int run(void *context, const struct options *options)
{
    struct session *session = context;
    CLEANUP(profile_clear) struct profile profile = {0};
    struct batch_status status;
    struct error err = {0};
    int64_t interval_s;

    if (options_seconds(options, "interval", 1, 3600, INTERVAL_DEFAULT_S, &interval_s, &err) !=
        STATUS_OK)
        return session_usage(session, options, &err);
    if (profile_open(&profile, session, options, &err) != STATUS_OK)
        return session_fail(session, &err);
    next_keyring_warn(&profile, options);
    if (follow(&profile, options, interval_s, &status, &err) != STATUS_OK)
        return session_fail(session, &err);
    if (session_is_interrupted(session))
        return EXIT_INTERRUPTED;
    if (session_has_lost_output(session))
        return EXIT_FAILED;
    if (!options_has(options, "json"))
        show_ending(session, &status);
    return batch_exit(&status);
}

static const struct option_rule rules[] = {
    {.name = "interval", .argument = "SPAN", .help = "How often to look, 1s or longer (2s)."},
};

const struct command verb_watch = {
    .name = "watch",
    .operands = "BATCH",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "Follow a batch until it ends",
    .description = "On a terminal a bar with '#' for accepted, '!' for failed, 'x' for cancelled; "
                   "in a pipe a line whenever something changed. Ends when the batch ends: with 0 "
                   "if every unit was accepted, with 3 if not.",
    .examples = "  dugnad watch primes && dugnad fetch primes --into results\n",
    .options = rules,
    .option_count = 1,
    .run = run,
};
