/* What sentences about waiting need to know beyond the batch itself. */
#ifndef SERVER_API_SURROUNDINGS_H
#define SERVER_API_SURROUNDINGS_H

#include "common/base/error.h"
#include "server/api/waiting.h"
#include "server/engine/engine.h"

struct call;
struct store;

/* Holds the texts that the facts point to. */
struct surroundings {
    struct published_stops stops;
    struct engine_clock clock;
    struct signature_judge
        judge; /* of what units are signed by, which is not among the facts yet */
};

/* `unit`: its app version, and what it needs; nothing if it is not known. */
enum status surroundings_read(const struct call *call, struct store *store, const struct unit *unit,
                              struct surroundings *ret_surroundings,
                              struct waiting_facts *ret_facts, struct error *err);

#endif
