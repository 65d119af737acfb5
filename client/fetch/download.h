/*
 * One file on its way into the cache. Its bytes are hashed as they come; what was there before a
 * cut is hashed again, in pieces, and not asked for twice. Nothing enters the cache under a digest
 * that is not its own.
 */
#ifndef CLIENT_FETCH_DOWNLOAD_H
#define CLIENT_FETCH_DOWNLOAD_H

#include "client/fetch/cache.h"
#include "common/http/client.h"

/* What is fetched, and for whom. */
struct download_of {
    struct digest project;
    struct digest file;
    int64_t size; /* as signed */
};

struct download {
    struct cache *cache; /* borrowed */
    struct digest digest;
    struct digest part;     /* its name: cache_part() */
    int64_t size;           /* as signed */
    int64_t found;          /* bytes that lay there when it was opened */
    int64_t got;            /* bytes in the part that were hashed */
    int64_t unsynced;       /* of these, since the last sync */
    struct disk_file *file; /* owned */
    struct hasher hasher;
    struct http_sink sink; /* for the request that fetches the rest from `got` on */
};

/*
 * Begin, or go on with what is there. Needs room in the cache: cache_make_room()'s statuses. The
 * address of *ret_download must stay.
 */
enum status download_open(struct download *ret_download, struct cache *cache,
                          const struct download_of *of, struct error *err) MUST_USE;

/*
 * Hash what was found, about so many bytes of it; *bytes becomes what is left of them. Again until
 * download_is_taken_up(); only then is the rest asked for. With got == size there is none.
 */
enum status download_take_up(struct download *download, int64_t *bytes, struct error *err) MUST_USE;
bool download_is_taken_up(const struct download *download);

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
