/* dugnad clock confirm: end the doubt about the server's clock. */
#include "protocol/clock.h"
#include "operator/remote.h"
#include "operator/table.h"
#include "operator/verbs.h"

static enum status confirm(struct profile *profile, struct clock_reply *ret_reply,
                           struct error *err)
{
    CLEANUP(buffer_clear) struct buffer body = {0};
    struct error why = {0};

    TRY(remote_post(profile, "/v1/clock", "{}", CLOCK_MAX, &body, err));
    if (clock_reply_decode(buffer_text(&body), body.length, ret_reply, &why) != STATUS_OK)
        return remote_misunderstood(&why, err);
    return STATUS_OK;
}

static int run(void *context, const struct options *options)
{
    struct session *session = context;
    CLEANUP(profile_clear) struct profile profile = {0};
    struct clock_reply reply;
    struct error err = {0};

    if (profile_open(&profile, session, options, &err) != STATUS_OK ||
        confirm(&profile, &reply, &err) != STATUS_OK)
        return session_fail(session, &err);
    if (options_has(options, "json")) {
        CLEANUP(freep) char *json = clock_reply_encode(&reply);

        session_print(session, json);
    } else {
        (void)fprintf(session->out, "%s It is %s there.\n",
                      reply.was_in_doubt ? "The server believes its clock again."
                                         : "There was no doubt about the server's clock.",
                      shown_time(reply.time_s).text);
    }
    return EXIT_DONE;
}

const struct command verb_clock_confirm = {
    .name = "clock confirm",
    .summary = "Say that the server's clock is right after it jumped",
    .description = "When the wall clock jumps by more than an hour, or the last commit lies in the "
                   "future, a server lets nothing expire and judges no validity until somebody "
                   "put the clock right or says that it is right.",
    .examples = "  dugnad clock confirm\n",
    .run = run,
};
