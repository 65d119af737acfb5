/* What sentences about waiting need to know beyond the batch itself. */
#ifndef SERVER_API_SURROUNDINGS_H
#define SERVER_API_SURROUNDINGS_H

#include "common/base/error.h"
#include "server/api/waiting.h"
#include "server/engine/published.h"

struct call;
struct store;

/* `stops` holds the text that the facts point to. */
enum status surroundings_read(const struct call *call, struct store *store, int64_t app_version,
                              struct published_stops *ret_stops, struct waiting_facts *ret_facts,
                              struct error *err);

#endif
