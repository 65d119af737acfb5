/* The engine's side of what is published: it alone calls these. */
#ifndef SERVER_ENGINE_PUBLISHING_H
#define SERVER_ENGINE_PUBLISHING_H

#include "server/engine/published.h"
#include "work-units/trust.h"

#define PUBLISHED_TOKENS_MAX 200000 /* then the table starts anew; a miss costs a command */

struct published_facts *published_new(void);
void published_free(struct published_facts *published);

void published_put_credential(struct published_facts *published, const struct digest *token,
                              const struct published_credential *credential);
void published_forget_credential(struct published_facts *published, const struct digest *token);
/* All of them: whoever comes again is looked up again. */
void published_forget_credentials(struct published_facts *published);

/* Takes what `parts` owns, and replaces trust by a copy of what `trust` was told. */
void published_put_project(struct published_facts *published, struct project_parts *parts,
                           const struct trust *trust);

/* When hosts without work are to look, and to come. */
void published_put_work(struct published_facts *published, const struct bulletin_work *work);

/* A checked app version. */
void published_put_app(struct published_facts *published, const struct envelope *envelope);

void published_put_stops(struct published_facts *published, const struct published_stops *stops);

#endif
