/*
 * Of what a batch or unit needs: do hosts take it as it is signed? Keys are revoked, retired and
 * run out; what they signed waits until another key signs it. Part of what surroundings.h reads.
 */
#ifndef SERVER_API_SIGNATURES_H
#define SERVER_API_SIGNATURES_H

#include "common/base/error.h"
#include "db/query.h"
#include "work-units/refusal.h"

struct published_facts;

/* REFUSAL_NONE: they take it. Zeroed: all is well. */
struct signatures {
    enum refusal start; /* why they begin nothing of the project */
    enum refusal app;   /* the app version's envelope */
    int64_t builds;     /* of the app version */
    int64_t unsigned_builds;
    enum refusal units;     /* the unit's; of a batch, that of the most units that are refused */
    int64_t unsigned_units; /* open, and want copies */
};

/* What judges. `now_s`: 0 where no validity may be judged. */
struct signature_judge {
    struct published_facts *published; /* borrowed */
    int64_t now_s;
};

/* Fill all but what is said of units, for an app version (row id). */
enum status signatures_of_app(const struct signature_judge *judge, struct store *store,
                              int64_t app_version, struct signatures *signatures,
                              struct error *err);

/* Fill what is said of units: of the batch's first `most` open ones, or of one. */
enum status signatures_of_batch(const struct signature_judge *judge, struct store *store,
                                int64_t batch, int64_t most, struct signatures *signatures,
                                struct error *err);
void signatures_of_unit(const struct signature_judge *judge, const struct unit *unit,
                        struct signatures *signatures);

#endif
