/* Does the program of a unit bring here what volunteers agreed on? */
#ifndef OPERATOR_RECOMPUTE_H
#define OPERATOR_RECOMPUTE_H

#include "operator/workshop.h"
#include "protocol/result_line.h"

enum recomputed_as {
    RECOMPUTED_EQUAL = 1,
    RECOMPUTED_DIFFERENT,
    RECOMPUTED_NOT,       /* it cannot be told here: `why` */
    RECOMPUTED_UNTRUSTED, /* the site showed what nobody signed for: `why` */
};

struct recomputed {
    enum recomputed_as as;
    char why[400];                /* "": equal */
    int64_t wall_ms;              /* that it ran */
    size_t output_count;          /* those that came of it, of the result's in their order */
    struct named_output *outputs; /* owned */
};

void recomputed_clear(struct recomputed *recomputed); /* for CLEANUP(), too */

/*
 * Run the unit of this result, which was checked, and compare what comes of it. A failure is of
 * this machine or of the way to the site, or the session was interrupted; nothing runs any more.
 */
enum status recompute(struct workshop *workshop, const struct result_line *line,
                      struct recomputed *ret_recomputed, struct error *err) MUST_USE;

#endif
