/* dugnad again: another copy of a unit, or of all units of a batch that are computed. */
#include <string.h>

#include "common/base/text.h"
#include "operator/batches.h"
#include "operator/named_unit.h"
#include "operator/remote.h"
#include "operator/verbs.h"
#include "protocol/unit_status.h"

/* Which batch a unit is of that was named by its digest. */
static enum status ask_unit(struct profile *profile, const struct digest *digest,
                            struct batch_id *ret_batch, struct error *err)
{
    CLEANUP(unit_status_clear) struct unit_status unit = {0};
    CLEANUP(buffer_clear) struct buffer body = {0};
    CLEANUP(freep)
    char *path = text_format("/v1/units/%s", digest_format(digest).text + strlen("sha256:"));
    struct error why = {0};

    TRY(remote_get(profile, path, UNIT_STATUS_MAX, &body, err));
    if (unit_status_decode(buffer_text(&body), body.length, &unit, &why) != STATUS_OK)
        return remote_misunderstood(&why, err);
    *ret_batch = unit.batch;
    return STATUS_OK;
}

static enum status ask_batch(struct profile *profile, const char *name, struct batch_id *ret_batch,
                             struct error *err)
{
    struct batch_status status;

    TRY(batch_ask(profile, name, &status, err));
    *ret_batch = status.batch;
    return STATUS_OK;
}

static enum status again(struct profile *profile, const struct options *options,
                         struct batch_action_request *request, struct batch_status *ret_status,
                         struct error *err)
{
    struct batch_id batch;

    TRY(named_unit_find(profile, options, &request->unit, err));
    TRY(digest_is_none(&request->unit) ? ask_batch(profile, options->operands[0], &batch, err)
                                       : ask_unit(profile, &request->unit, &batch, err));
    return batch_act(profile, &batch, request, ret_status, err);
}

static void say(struct session *session, const struct options *options,
                const struct batch_action_request *request, const struct batch_status *status)
{
    CLEANUP(freep) char *json = NULL;

    if (options_has(options, "json")) {
        json = batch_status_encode(status);
        session_print(session, json);
    } else if (digest_is_none(&request->unit)) {
        (void)fprintf(session->out,
                      "Another copy goes out of each unit of %s whose copies are all computed.\n",
                      status->name);
    } else {
        (void)fprintf(session->out,
                      "Another copy of the unit goes to a host that asks for work.\n");
    }
}

static int run(void *context, const struct options *options)
{
    struct session *session = context;
    struct batch_action_request request = {.action = ACTION_AGAIN};
    CLEANUP(profile_clear) struct profile profile = {0};
    struct batch_status status;
    struct error err = {0};

    if (named_unit_check(options, &err) != STATUS_OK)
        return session_usage(session, options, &err);
    if (profile_open(&profile, session, options, &err) != STATUS_OK ||
        again(&profile, options, &request, &status, &err) != STATUS_OK)
        return session_fail(session, &err);
    say(session, options, &request, &status);
    return EXIT_DONE;
}

const struct command verb_again = {
    .name = "again",
    .operands = "BATCH|DIGEST [UNIT]",
    .operand_min = 1,
    .operand_max = 2,
    .summary = "Send another copy of a unit out, or of all of a batch that are computed",
    .description =
        "For when a host takes long and the result is wanted now: the copies that are out go on, "
        "and the first that agree are accepted. A unit with a copy that waits for a host gets no "
        "other, nor one whose signed --max-tasks are made. A unit is named by its batch and name, "
        "BATCH UNIT or BATCH/UNIT, on the machine that submitted it; anywhere by its digest, "
        "sha256:….",
    .examples = "  dugnad again primes\n  dugnad again primes 0-1000\n",
    .run = run,
};
