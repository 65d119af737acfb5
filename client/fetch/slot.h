/*
 * A task's slot folder: copies of the files of its app and of its inputs, each hashed while it is
 * copied, so that what runs is what was signed even if the cache was changed behind our back.
 */
#ifndef CLIENT_FETCH_SLOT_H
#define CLIENT_FETCH_SLOT_H

#include "client/fetch/cache.h"
#include "client/fetch/verify.h"

/* The first file of a task that the cache does not hold. False: it has all. */
struct needed_file {
    struct digest digest;
    int64_t size;
    bool is_of_app; /* else an input */
};
bool slot_next_missing(struct cache *cache, const struct prepared *prepared,
                       struct needed_file *ret_file);

/* How many files a task needs from the cache, and the index-th of them. */
size_t slot_file_count(const struct prepared *prepared);
struct needed_file slot_file(const struct prepared *prepared, size_t index);

/*
 * Make the folder anew with all its files; or, if what the task itself wrote there is to stay (a
 * checkpoint), only the files anew. STATUS_NOT_FOUND: the cache does not hold one of them,
 * or held something else (it was discarded): fetch again.
 */
enum status slot_build(struct cache *cache, const struct prepared *prepared, const char *slot,
                       bool keeps_own, struct error *err) MUST_USE;

#endif
