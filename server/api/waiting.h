/* What a batch or unit waits for, in sentences for its operator. Pure. */
#ifndef SERVER_API_WAITING_H
#define SERVER_API_WAITING_H

#include "db/query.h"
#include "server/api/offers.h"
#include "server/api/signatures.h"
#include "work-units/names.h"

#define WAITING_REFUSED_MAX 3

/* What is known of the surroundings. */
struct waiting_facts {
    int64_t now_s;              /* the engine's, which dates all of this: engine_clock() */
    struct offers offers;       /* what those hosts have for a copy */
    struct supply supply;       /* hosts of the last day that could run the app */
    bool has_freshness;         /* else clients start nothing new */
    const char *why_stopped;    /* "" while the site issues tasks */
    const char *why_no_uploads; /* "" while it takes outputs */
    const char *clock_doubt;    /* "" while the server believes its clock */
    struct signatures signatures;
    struct file_name output;  /* of the app, if it may be larger than the site takes; "": none */
    int64_t output_bytes;     /* that it may have */
    int64_t upload_max_bytes; /* that the site takes */
    struct refused_group refused[WAITING_REFUSED_MAX]; /* what hosts told in the last day */
    size_t refused_count;
};

/* Append to `sentences`. `unit`: an open one of the batch, or NULL; `standing`: of all that are
 * open. */
void waiting_of_batch(const struct batch_view *batch, const struct unit *unit,
                      const struct standing *standing, const struct waiting_facts *facts,
                      struct texts *sentences);
void waiting_of_unit(const struct unit *unit, const struct waiting_facts *facts,
                     struct texts *sentences);

#endif
