/*
 * Outputs of an ended task leave its slot (DESIGN section 8). The slot is hostile ground: a name in
 * it may be a link to a file of the owner's. So each declared output is opened beneath the slot
 * without following any link, must be a regular file of one link, and is copied once into the spool
 * while it is hashed: what is reported is what lies in the spool. Files nobody declared are
 * ignored. A long one is copied in pieces, so that nothing else waits for it.
 *
 * Nothing of the task may be alive any more.
 */
#ifndef SANDBOX_COLLECT_H
#define SANDBOX_COLLECT_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/crypto/digest.h"

struct disk;

/* Why an output was not taken. */
enum collect_refusal {
    COLLECT_TAKEN,
    COLLECT_BAD_NAME, /* not a file name within the payload profile */
    COLLECT_MISSING,
    COLLECT_LINK,       /* a symbolic link */
    COLLECT_HARD_LINK,  /* a regular file that has another name somewhere */
    COLLECT_NOT_FILE,   /* a folder, device, pipe or socket */
    COLLECT_UNREADABLE, /* the app took its own permission to read it away */
    COLLECT_TOO_LARGE,  /* by its length: a sparse file counts as long as it says */
    COLLECT_NO_FOLDER,  /* the task removed, renamed or replaced its own folder */
};

struct collect_request {
    const char *slot;  /* absolute path of the folder */
    const char *name;  /* as the app version declares it */
    int64_t max_bytes; /* most it may have: as signed, and what is left of the task's sum */
    const char *to;    /* path in the spool; a file there is replaced */
    struct disk *disk; /* which writes the spool; borrowed */
};

struct collected {
    enum collect_refusal refusal;
    int64_t size_bytes; /* of the output; also when it is too large */
    struct digest digest;
};

/* An output of which a part was copied. */
struct collection;

/* What was copied is left for the next time, which replaces it. NULL is fine. */
void collection_free(struct collection *collection);

/*
 * Copy about *bytes more, which becomes what is left of them. *work is NULL to begin with, and
 * again when it is over; until then it is the caller's, who goes on with the same request, or frees
 * it.
 *
 * STATUS_OK, and *work NULL: *ret_collected is the answer. Taken: the spool copy is durable (its
 * folder's entry, too). Refused: nothing is in the spool. STATUS_FULL, STATUS_STORAGE: the spool or
 * slot failed, not the task: *work is NULL; try again later.
 */
enum status collect_some(const struct collect_request *request, struct collection **work,
                         int64_t *bytes, struct collected *ret_collected, struct error *err);

/* In words that follow "output NAME": "was not written". "" for COLLECT_TAKEN. */
const char *collect_refusal_words(enum collect_refusal refusal);

/* As a report names it: "missing". */
const char *collect_refusal_name(enum collect_refusal refusal);

#endif
