/*
 * The mark of the bulletin that tells hosts without work to come: server/policy/hailing.h brought
 * about. It is stored, and that of all servers of a site is one.
 */
#ifndef SERVER_ENGINE_HAILS_H
#define SERVER_ENGINE_HAILS_H

#include "common/base/error.h"
#include "server/engine/slots.h"

struct engine;

/* As it was stored. */
void hails_start(struct engine *engine);

/* What the queue has learned since is another server's news. */
void hails_note_others(struct engine *engine);

/* The highest mark of other servers. */
void hails_hear(struct engine *engine, int64_t mark);

/* Who was told of work last, and by when they are there. */
struct slots_call hails_call(const struct engine *engine);

/* Every second: change the mark when it is time. A failure changes nothing. */
enum status hails_make(struct engine *engine, struct error *err) MUST_USE;

#endif
