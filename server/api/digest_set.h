/*
 * A set of digests that forgets: what was found out lately, and need not be asked again so soon.
 * Any thread.
 */
#ifndef SERVER_API_DIGEST_SET_H
#define SERVER_API_DIGEST_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/crypto/digest.h"

struct digest_set;

struct digest_set *digest_set_new(size_t size);
void digest_set_free(struct digest_set *set); /* NULL is fine */

/* Was it added at or after `since_mono_ms`? */
bool digest_set_has(struct digest_set *set, const struct digest *digest, int64_t since_mono_ms);
void digest_set_add(struct digest_set *set, const struct digest *digest, int64_t now_mono_ms);

#endif
