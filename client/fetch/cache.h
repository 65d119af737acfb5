/*
 * Files of apps and inputs under the digest of their bytes, shared by all projects: cache/<hex>.
 * While one is on the way it is cache/<hex>.part, where <hex> is that of cache_part(): each project
 * has a part of its own, so that one server can neither spoil nor hold up what another one sends.
 * Bounded: what was not used for longest goes first, never what a task on hand needs. Parts count:
 * one that is being fetched as all that it will have.
 *
 * What of it must survive a power cut: nothing. No record and no server is told that a file is
 * here; which ones are is found out by looking at each start, and a file is hashed whenever it is
 * copied into a slot (slot.h), because it may have been changed behind our back anyway. A file that
 * a cut has torn or taken is fetched again, and that is all that it costs. So a sync is worth what
 * it spares: large files are synced as they come, for hours of a slow line hang on them; small ones
 * (cache_put()) are not, for a sync takes longer than to fetch one again. The system writes them
 * back within seconds by itself.
 */
#ifndef CLIENT_FETCH_CACHE_H
#define CLIENT_FETCH_CACHE_H

#include "client/state/folder.h"
#include "common/crypto/digest.h"

struct cache_entry {
    struct digest digest;
    int64_t size;       /* also of one that is only pinned, as signed */
    int64_t last_used;  /* a count that rises with each use */
    unsigned pins;      /* tasks that need it */
    bool is_here;       /* false: it is only pinned, or there is a part of it */
    int64_t part_bytes; /* of its .part; 0: there is none */
};

struct cache {
    const struct data_folder *folder; /* borrowed */
    int64_t max_bytes;
    int64_t used_bytes;
    int64_t uses;
    struct cache_entry *entries; /* owned */
    size_t count;
    size_t capacity;
};

/* Finds what is there. What is neither a file of the cache nor the part of one is removed. */
enum status cache_open(struct cache *ret_cache, const struct data_folder *folder, int64_t max_bytes,
                       struct error *err) MUST_USE;
void cache_close(struct cache *cache);

bool cache_has(const struct cache *cache, const struct digest *digest);

/* The name of the part of this file that is fetched for this project. */
struct digest cache_part(const struct digest *project, const struct digest *file);

/* A task needs it (or will), file or part (of size 0). Each pin is taken back once. */
void cache_pin(struct cache *cache, const struct digest *digest, int64_t size);
void cache_unpin(struct cache *cache, const struct digest *digest);

enum status cache_path(const struct cache *cache, const struct digest *digest, bool is_part,
                       struct disk_path *ret_path, struct error *err) MUST_USE;

/* The most bytes for which cache_make_room() succeeds, as long as no file is pinned or comes. */
int64_t cache_room(const struct cache *cache);

/*
 * Make room for so many bytes, evicting. STATUS_FULL: what is in use leaves too little; STATUS_
 * TOO_LARGE: more than the cache may ever hold.
 */
enum status cache_make_room(struct cache *cache, int64_t bytes, struct error *err) MUST_USE;

/* As cache_make_room(), for this part to grow to so many bytes; these count from now on. */
enum status cache_reserve(struct cache *cache, const struct digest *part, int64_t bytes,
                          struct error *err) MUST_USE;

/* The part is left with so many bytes for another time; 0: it is gone. */
void cache_leave_part(struct cache *cache, const struct digest *part, int64_t bytes);

/* Nobody will go on with it: it goes, unless another task needs it. */
void cache_drop_part(struct cache *cache, const struct digest *part);

/* The part is whole, durable and of this digest: it is the file from now on. */
enum status cache_adopt(struct cache *cache, const struct digest *part, const struct digest *digest,
                        int64_t size, struct error *err) MUST_USE;

/*
 * A small file, whole, whose bytes are known to be those of the digest. One that is here already
 * stays as it is. Statuses of cache_make_room() and the disk's; then nothing of it is here.
 */
enum status cache_put(struct cache *cache, const struct digest *digest, const void *bytes,
                      size_t length, struct error *err) MUST_USE;

/* Bytes of its part. */
int64_t cache_part_bytes(const struct cache *cache, const struct digest *part);

/* Bytes of files that are pinned and not here, parts not counted. */
int64_t cache_missing_bytes(const struct cache *cache);

/* Give so many bytes back to the disk, as far as nobody needs them. */
void cache_give_back(struct cache *cache, int64_t bytes);

/* It turned out not to be what its name says. */
void cache_discard(struct cache *cache, const struct digest *digest);

/* It was used: others go first. */
void cache_touch(struct cache *cache, const struct digest *digest);

#endif
