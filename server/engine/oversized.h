/* App versions whose outputs may become larger than what the site takes by now. */
#ifndef SERVER_ENGINE_OVERSIZED_H
#define SERVER_ENGINE_OVERSIZED_H

#include "common/base/error.h"

#define OVERSIZED_SAID_MAX 20 /* app versions that are named; all are counted */

struct engine;

/*
 * Log a warning for each that was not revoked, with how many of its units have not ended, and one
 * of all. To be called once, when an engine is opened, on its store: `upload_max` is the same as
 * long as it is open, and no app above it is published. Reads all app versions; changes nothing.
 * Errors are the store's.
 */
enum status oversized_warn(struct engine *engine, struct error *err) MUST_USE;

#endif
