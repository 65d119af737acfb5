/* App versions whose outputs may become larger than what the site takes by now. */
#ifndef SERVER_ENGINE_OVERSIZED_H
#define SERVER_ENGINE_OVERSIZED_H

#include "common/base/error.h"

#define OVERSIZED_SAID_MAX 20 /* app versions that are named; all are counted */

struct engine;

/* Log a warning for each that was not revoked, with how many of its units wait, and one of all. */
enum status oversized_warn(struct engine *engine, struct error *err) MUST_USE;

#endif
