/*
 * Many small files on their way into the cache by one exchange (protocol/files_bundle.h). Each is
 * checked against its signed digest before anything of it is written; what came whole stays, even
 * if the rest does not come. Whatever else goes wrong with a bundle is no word about any file: who
 * asks then fetches what is missing one by one (client/fetch/download.h).
 *
 * In memory: one file, FILES_BUNDLE_FILE_MAX at most. In the cache: room for all is taken when they
 * are added, so that its cap holds whatever comes.
 */
#ifndef CLIENT_FETCH_BUNDLE_H
#define CLIENT_FETCH_BUNDLE_H

#include "client/fetch/cache.h"
#include "common/http/client.h"
#include "protocol/files_bundle.h"

struct bundle {
    struct cache *cache; /* borrowed; NULL: there is no bundle */
    struct digest part;  /* the room that was taken goes by this name */
    struct digest files[FILES_BUNDLE_FILES_MAX];
    int64_t sizes[FILES_BUNDLE_FILES_MAX]; /* as signed */
    size_t count;
    size_t next;        /* the first that has neither come nor been passed over */
    size_t came;        /* in the cache by now */
    int64_t bytes;      /* of all files */
    int64_t bytes_left; /* of those that did not come */
    struct buffer frame;
    struct http_sink sink; /* for the request */
};

/* Begin an empty one. The address of *ret_bundle must stay. */
void bundle_open(struct bundle *ret_bundle, struct cache *cache, const struct digest *project);

/* STATUS_TOO_LARGE: it does not fit into a bundle any more; else as cache_make_room(). */
enum status bundle_add(struct bundle *bundle, const struct digest *file, int64_t size,
                       struct error *err) MUST_USE;

bool bundle_holds(const struct bundle *bundle, const struct digest *file); /* false: came, too */

/* Is there none of its files that the cache still lacks? */
bool bundle_is_needless(const struct bundle *bundle);

/* The most that its answer may have. */
int64_t bundle_answer_bytes(const struct bundle *bundle);

/* Give back the room of what did not come. For CLEANUP(), too. */
void bundle_close(struct bundle *bundle);

#endif
