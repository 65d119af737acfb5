/*
 * A set of digests that forgets: a cache of what was found out once and does not change. Any
 * thread.
 */
#ifndef SERVER_API_DIGEST_SET_H
#define SERVER_API_DIGEST_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/crypto/digest.h"

struct digest_set;

struct digest_set *digest_set_new(size_t size);
void digest_set_free(struct digest_set *set); /* NULL is fine */
bool digest_set_has(struct digest_set *set, const struct digest *digest);
void digest_set_add(struct digest_set *set, const struct digest *digest);

#endif
