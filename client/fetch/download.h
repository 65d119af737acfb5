/*
 * One file on its way into the cache. Its bytes are hashed as they come; what was there before a
 * cut is hashed again and not asked for twice. Nothing enters the cache under a digest that is not
 * its own.
 */
#ifndef CLIENT_FETCH_DOWNLOAD_H
#define CLIENT_FETCH_DOWNLOAD_H

#include "client/fetch/cache.h"
#include "common/http/client.h"

struct download {
    struct cache *cache; /* borrowed */
    struct digest digest;
    int64_t size;           /* as signed */
    int64_t got;            /* bytes in the part */
    struct disk_file *file; /* owned */
    struct hasher hasher;
    struct http_sink sink; /* for the request that fetches the rest from `got` on */
};

/*
 * Begin, or go on with what is there. Needs room in the cache: cache_make_room()'s statuses. With
 * got == size there is nothing left to ask for. The address of *ret_download must stay.
 */
enum status download_open(struct download *ret_download, struct cache *cache,
                          const struct digest *digest, int64_t size, struct error *err) MUST_USE;

/*
 * All bytes came: STATUS_UNTRUSTED if they are not those of the digest (the part is removed then),
 * or too few.
 */
enum status download_finish(struct download *download, struct error *err) MUST_USE;

/* Leave the part for another time. For CLEANUP(), too. */
void download_close(struct download *download);

/* The server has no such range, or bytes that are too many: begin anew next time. */
void download_restart(struct download *download);

#endif
