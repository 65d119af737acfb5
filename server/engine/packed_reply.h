/*
 * The answer to a visit as it is stored with its host: what scheduler_reply_encode() would say, but
 * for envelopes and receipts, which are made anew. Numbers are LEB128, texts and lists begin with
 * their length, digests are 32 bytes: a visit that is granted one task takes some 130 bytes.
 */
#ifndef SERVER_ENGINE_PACKED_REPLY_H
#define SERVER_ENGINE_PACKED_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "db/publish.h"
#include "protocol/scheduler_reply.h"

/* No list may name more than this: each output that is wanted with a name of full length. */
#define PACKED_REPLY_MAX (4 * 1024 * 1024)

/* Owned by the caller. Within the limits of protocol/scheduler_reply.h; numbers are not negative.
 */
char *packed_reply_make(const struct scheduler_reply *reply, size_t *ret_length);

/* false, and nothing returned: not what packed_reply_make() makes. Grants have no unit yet. */
bool packed_reply_read(struct span packed, struct scheduler_reply *ret_reply);

#endif
