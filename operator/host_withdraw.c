/* dugnad hosts withdraw: what a host has that is gone for good goes to others. */
#include <inttypes.h>

#include "common/base/text.h"
#include "operator/remote.h"
#include "operator/verbs.h"
#include "protocol/withdrawal.h"

static enum status withdraw(struct profile *profile, int64_t host,
                            struct withdrawal_reply *ret_reply, struct error *err)
{
    CLEANUP(freep) char *path = text_format("/v1/hosts/%" PRId64 "/withdraw", host);
    CLEANUP(buffer_clear) struct buffer body = {0};
    struct error why = {0};

    TRY(remote_post(profile, path, "{}", WITHDRAWAL_MAX, &body, err));
    if (withdrawal_reply_decode(buffer_text(&body), body.length, ret_reply, &why) != STATUS_OK)
        return remote_misunderstood(&why, err);
    return STATUS_OK;
}

static void say(FILE *out, const struct withdrawal_reply *reply)
{
    if (reply->withdrawn == 0 && reply->left == 0)
        (void)fprintf(out, "Host %" PRId64 " has no copy of anything.\n", reply->host);
    if (reply->withdrawn > 0)
        (void)fprintf(out, "Others get the %" PRId64 " copies that host %" PRId64 " had.\n",
                      reply->withdrawn, reply->host);
    if (reply->left > 0)
        (void)fprintf(out,
                      "%" PRId64 " copies stay with host %" PRId64 " until their deadline: their "
                      "units had as many copies as a unit may have.\n",
                      reply->left, reply->host);
}

static int act(struct session *session, const struct options *options, int64_t host)
{
    CLEANUP(profile_clear) struct profile profile = {0};
    struct withdrawal_reply reply;
    struct error err = {0};

    if (profile_open(&profile, session, options, &err) != STATUS_OK ||
        withdraw(&profile, host, &reply, &err) != STATUS_OK)
        return session_fail(session, &err);
    if (options_has(options, "json")) {
        CLEANUP(freep) char *json = withdrawal_reply_encode(&reply);

        session_print(session, json);
    } else {
        say(session->out, &reply);
    }
    return reply.left > 0 ? EXIT_NOT_ALL : EXIT_DONE;
}

/* What a machine computes that was named by mistake may be computed twice: a person is asked. */
static int run(void *context, const struct options *options)
{
    struct session *session = context;
    struct error err = {0};
    int64_t host;

    if (!text_to_integer(options->operands[0], 1, ID_MAX, &host))
        (void)error_set(&err, STATUS_INVALID, "HOST is a number, as 'dugnad hosts' shows it");
    else if (!options_has(options, "yes") && !session->can_ask)
        (void)error_set(&err, STATUS_INVALID,
                        "nothing was withdrawn: there is no terminal to ask at, so say --yes");
    if (err.status != STATUS_OK)
        return session_usage(session, options, &err);
    if (!options_has(options, "yes") &&
        !session_confirm(session, "Is the host gone for good? Others compute what it has."))
        return session_is_interrupted(session) ? EXIT_INTERRUPTED : EXIT_FAILED;
    return act(session, options, host);
}

static const struct option_rule rules[] = {
    {.name = "yes", .help = "Do not ask; needed where there is no terminal."},
};

const struct command verb_hosts_withdraw = {
    .name = "hosts withdraw",
    .operands = "HOST",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "Give to others what a host has that is gone for good",
    .description = "Its copies wait for no deadline, and nobody's allowance is charged. Nothing is "
                   "held against the host: should it be back, what it reports counts while it is "
                   "needed, and it gets work as before. Again, it does nothing more. Ends with 3 "
                   "if copies stay with it, for their units have had as many as a unit may have.",
    .examples = "  dugnad hosts withdraw 17 --yes\n",
    .options = rules,
    .option_count = 1,
    .run = run,
};
