/* From the store's views to the protocol's messages; shared by several resources. */
#ifndef SERVER_API_VIEWS_H
#define SERVER_API_VIEWS_H

#include "db/query.h"
#include "protocol/batch.h"

/* `now_s`: the engine's, as the batch is dated by it: engine_clock(). */
void show_batch_status(const struct batch_view *view, int64_t now_s,
                       struct batch_status *ret_status);

/* Why a unit failed, in words; "" for one that did not. */
const char *show_unit_why(enum unit_state state, enum unit_failure failure);

/* Bytes of somebody else as text fit to be shown, to be freed; NULL for none. */
char *show_text(struct span bytes, size_t max);

/* A batch's row id, from the path. STATUS_NOT_FOUND. */
struct call;
enum status show_find_batch(const struct call *call, struct store *store, int64_t *ret_batch,
                            struct error *err);

/* Answer with the batch. */
void show_send_batch(struct call *call, struct store *store, int64_t batch, int http);

#endif
