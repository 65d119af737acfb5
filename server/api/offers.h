/* What the hosts that could run an app offer a task of it, against what the task needs. */
#ifndef SERVER_API_OFFERS_H
#define SERVER_API_OFFERS_H

#include "db/query.h"
#include "work-units/app_version.h"

struct store;

/* Zeroed: nothing is known of any host. */
struct offers {
    int64_t needs_cores, needs_memory_bytes, needs_disk_bytes; /* the task */
    int64_t hosts;                                             /* that said what they offer */
    int64_t cores, memory_bytes, disk_bytes;                   /* the most that any of them does */
    int64_t fitting;   /* hosts with enough of memory and disk, and all layers: they can run it */
    struct word layer; /* the first that none of them has; "": there is none such */
};

/* Of hosts seen at or after `seen_s`. `unit`: what the task is a copy of. */
enum status offers_read(struct store *store, const struct app_version *app, const struct unit *unit,
                        int64_t seen_s, struct offers *ret_offers, struct error *err) MUST_USE;

#endif
