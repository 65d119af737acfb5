/* Batches as the site shows them. */
#ifndef OPERATOR_BATCHES_H
#define OPERATOR_BATCHES_H

#include "operator/profile.h"
#include "protocol/batch.h"

/* `batch` is a name or 32 hex digits. */
enum status batch_ask(struct profile *profile, const char *batch, struct batch_status *ret_status,
                      struct error *err) MUST_USE;

enum status batch_act(struct profile *profile, const struct batch_id *batch,
                      const struct batch_action_request *action, struct batch_status *ret_status,
                      struct error *err) MUST_USE;

enum status batch_create(struct profile *profile, const struct batch_request *request,
                         struct batch_status *ret_status, struct error *err) MUST_USE;

/* EXIT_DONE: all units are accepted. EXIT_NOT_ALL: some are not (yet). */
int batch_exit(const struct batch_status *status);

#endif
