/* Files on their way to the site: hashed here, sent only if the site misses them. */
#ifndef OPERATOR_UPLOAD_H
#define OPERATOR_UPLOAD_H

#include "operator/profile.h"

#define UPLOAD_UNDER_WAY 8 /* files, each on a connection of its own */

struct local_file {
    char *path; /* owned */
    struct digest digest;
    int64_t size;
};

/* SHA-256 of a file's bytes. STATUS_INVALID: not a regular file. Words name the path. */
enum status local_file_look(struct disk *disk, const char *path, struct local_file *ret_file,
                            struct error *err) MUST_USE;
void local_file_clear(struct local_file *file);

/* How it went, for progress. */
struct upload_tally {
    int64_t files, bytes; /* sent, not those that were there */
};

/*
 * Ask which are missing (any number), send those, up to UPLOAD_UNDER_WAY at once. The same digest
 * twice is fine. After a failure those under way are broken off: the next time they are asked for.
 */
enum status upload_files(struct profile *profile, const struct local_file *files, size_t count,
                         struct upload_tally *tally, struct error *err) MUST_USE;

#endif
