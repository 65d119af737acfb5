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
 * One result that is looked at again: prepared, filled into a slot of the workshop, started there,
 * judged when it has ended. It is over as soon as recomputed->as is set; a failure is of this
 * machine or of the way to the site, or the session was interrupted.
 */
struct recomputing {
    struct workshop *workshop;      /* borrowed, as are: */
    const struct result_line *line; /* which was checked */
    struct recomputed *recomputed;  /* filled */
    struct prepared prepared;       /* owned */
    size_t slot;                    /* once it is filled in */
};

void recomputing_clear(struct recomputing *recomputing); /* for CLEANUP(), too */

enum status recomputing_prepare(struct recomputing *ret_recomputing, struct workshop *workshop,
                                const struct result_line *line, struct recomputed *ret_recomputed,
                                struct error *err) MUST_USE;

/* Begin to fill a slot where nothing runs. `recomputing` must not move until it was. */
enum status recomputing_fill(struct recomputing *recomputing, size_t slot, struct error *err)
    MUST_USE;

/* Is the slot filled? It may be over instead, because of what its files are. */
enum status recomputing_look(struct recomputing *recomputing, bool *ret_is_filled,
                             struct error *err) MUST_USE;

/* What is filled in. */
enum status recomputing_start(struct recomputing *recomputing, struct error *err) MUST_USE;

/* What has ended in its slot. It is over then. */
enum status recomputing_judge(struct recomputing *recomputing, struct error *err) MUST_USE;

#endif
