#include "operator/batches.h"

#include "common/base/text.h"
#include "operator/remote.h"

static enum status take_status(const struct buffer *body, struct batch_status *ret_status,
                               struct error *err)
{
    struct error why = {0};

    if (batch_status_decode(buffer_text(body), body->length, ret_status, &why) != STATUS_OK)
        return remote_misunderstood(&why, err);
    return STATUS_OK;
}

static enum status not_a_batch(const char *word, struct error *err)
{
    (void)error_set(err, STATUS_INVALID,
                    "\"%.60s\" is no batch: a name has letters, digits, '.', '_' and '-', an id 32 "
                    "lower-case hex digits",
                    word);
    error_code(err, SESSION_USAGE);
    return STATUS_INVALID;
}

enum status batch_ask(struct profile *profile, const char *batch, struct batch_status *ret_status,
                      struct error *err)
{
    CLEANUP(buffer_clear) struct buffer body = {0};
    CLEANUP(freep) char *path = NULL;
    struct batch_id id;

    if (!batch_parse(batch, &id) && !batch_is_name(batch))
        return not_a_batch(batch, err);
    path =
        text_format(batch_parse(batch, &id) ? "/v1/batches/%s" : "/v1/batches/by-name/%s", batch);
    TRY(remote_get(profile, path, BATCH_REPLY_MAX, &body, err));
    return take_status(&body, ret_status, err);
}

enum status batch_act(struct profile *profile, const struct batch_id *batch,
                      const struct batch_action_request *action, struct batch_status *ret_status,
                      struct error *err)
{
    CLEANUP(freep) char *path = text_format("/v1/batches/%s/actions", batch_format(batch).text);
    CLEANUP(freep) char *json = batch_action_encode(action);
    CLEANUP(buffer_clear) struct buffer body = {0};

    TRY(remote_post(profile, path, json, BATCH_REPLY_MAX, &body, err));
    return take_status(&body, ret_status, err);
}

enum status batch_create(struct profile *profile, const struct batch_request *request,
                         struct batch_status *ret_status, struct error *err)
{
    CLEANUP(freep) char *json = batch_request_encode(request);
    CLEANUP(buffer_clear) struct buffer body = {0};

    TRY(remote_post(profile, "/v1/batches", json, BATCH_REPLY_MAX, &body, err));
    return take_status(&body, ret_status, err);
}

int batch_exit(const struct batch_status *status)
{
    bool is_all = batch_has_ended(status) && status->accepted == status->units;

    return is_all ? EXIT_DONE : EXIT_NOT_ALL;
}
