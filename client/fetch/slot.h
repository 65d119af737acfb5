/*
 * A task's slot folder: copies of the files of its app and of its inputs, each hashed while it is
 * copied, so that what runs is what was signed even if the cache was changed behind our back.
 */
#ifndef CLIENT_FETCH_SLOT_H
#define CLIENT_FETCH_SLOT_H

#include "client/agent/room.h"
#include "client/fetch/cache.h"
#include "sandbox/verify.h"

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

/* All of them are needed, and what of them is on the way for this project; or no more. */
void slot_pin(struct cache *cache, const struct prepared *prepared);
void slot_unpin(struct cache *cache, const struct prepared *prepared);

/* Unpinned: parts that no other task needs go. */
void slot_drop_parts(struct cache *cache, const struct prepared *prepared);

/* Of its files, what is yet to come. */
int64_t slot_missing_bytes(const struct cache *cache, const struct prepared *prepared);

/* What it may use of the disk, as signed. */
struct task_need slot_need(const struct prepared *prepared);

/* A slot being filled, in pieces, so that nothing else waits for large inputs. */
struct slot_work {
    struct cache *cache;             /* borrowed, as is: */
    const struct prepared *prepared; /* its files are pinned */
    struct disk_path slot;
    size_t next;            /* index of the file being copied */
    struct disk_file *from; /* owned; NULL: it is not open yet */
    struct disk_file *to;   /* owned */
    struct hasher hasher;   /* of it, while is_hashing */
    bool is_hashing;
    int64_t done_bytes; /* of it */
    bool is_lacking;    /* some file was not there, or not what was signed */
};

/*
 * With cache and prepared set, the rest zeroed: make the folder anew; or, if what the task itself
 * wrote there is to stay (a checkpoint), only its files.
 */
enum status slot_begin(struct slot_work *ret_work, const char *slot, bool keeps_own,
                       struct error *err) MUST_USE;

/*
 * Copy about so many bytes more. STATUS_NOT_FOUND: there are files that the cache does not hold, or
 * held as something else; the cache was told of all of them, for a power cut may have torn many:
 * fetch them again. After a failure: clear, begin anew.
 */
enum status slot_go_on(struct slot_work *work, int64_t bytes, bool *ret_is_done, struct error *err)
    MUST_USE;

/* What was copied stays. For CLEANUP(), too. */
void slot_work_clear(struct slot_work *work);

#endif
