/*
 * Outputs on their way from hosts: interrupted and resumed, also after a restart. Each is a file
 * that grows, and beside it a small one that says whose it is. How far an upload got is the size of
 * its file. A complete one, if its digest is the reported one, becomes a file of the site. Several
 * servers may share the folder: each has the uploads that were created at it, and no others.
 *
 * An upload is its host's alone: to every other it does not exist (STATUS_NOT_FOUND).
 * Functions may be called from several threads at a time, but for those of one writer.
 */
#ifndef SERVER_FILES_UPLOADS_H
#define SERVER_FILES_UPLOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "server/files/owned.h"

struct env;
struct file_store;
struct uploads;
struct upload_writer;

#define UPLOAD_LOCKED "locked" /* code of a STATUS_BUSY: by another request to the same upload */

struct upload {
    char id[OWNED_ID_CHARS + 1]; /* random, hexadecimal */
    int64_t host;
    int64_t task;
    char name[TEXT_FILE_NAME_MAX + 1]; /* of the output */
    struct digest digest;              /* as the host reported it */
    int64_t length;                    /* bytes, as reported */
    int64_t created_s;
    int64_t offset; /* bytes that are there */
    bool is_done;   /* the engine knows the file; kept for repeated requests alone */
};

struct upload_limits {
    int64_t server;  /* whose uploads these are, 1..OWNED_SERVERS_MAX */
    size_t per_host; /* in progress at once */
    size_t in_all;
    int64_t keep_s; /* after its last byte came, or it was finished */
};

/*
 * Takes up what lies in the folder `path`, which is made as needed; leftovers of this server, and
 * what is surely nobody's, are removed. `files` is borrowed, and on the same disk.
 */
enum status uploads_open(struct env *env, const char *path, struct file_store *files,
                         const struct upload_limits *limits, struct uploads **ret_uploads,
                         struct error *err) MUST_USE;
void uploads_free(struct uploads *uploads); /* NULL is fine; no writer may be left */
DEFINE_CLEANUP(struct uploads *, uploads_free)

/*
 * A new, empty one; id, created_s and offset of `wish` do not matter. An older one for the same
 * output gives way. STATUS_LIMITED: too many; STATUS_BUSY: the older one is being written.
 */
enum status uploads_create(struct uploads *uploads, const struct upload *wish,
                           struct upload *ret_upload, struct error *err) MUST_USE;

enum status uploads_look(struct uploads *uploads, const char *id, int64_t host,
                         struct upload *ret_upload, struct error *err) MUST_USE;

/* STATUS_BUSY: it is being written. */
enum status uploads_remove(struct uploads *uploads, const char *id, int64_t host,
                           struct error *err);

/* Forget those whose time is over. */
void uploads_expire(struct uploads *uploads);

/*
 * Write on at `offset`. STATUS_CONFLICT, code "offset": that is not where it ends, or it is done.
 * STATUS_BUSY: somebody writes it already.
 */
enum status uploads_write(struct uploads *uploads, const char *id, int64_t host, int64_t offset,
                          struct upload_writer **ret_writer, struct error *err) MUST_USE;

/* STATUS_TOO_LARGE: more than its length. What came before a failure stays. */
enum status upload_writer_add(struct upload_writer *writer, const void *bytes, size_t count,
                              struct error *err);

const struct upload *upload_writer_facts(const struct upload_writer *writer);

/* Stop writing; what came is kept, durably if this succeeds. Ends the writer in any case. */
enum status upload_writer_pause(struct upload_writer *writer, struct error *err);

/*
 * All bytes are there: they become a file of the site, durably. Ends the writer in any case; may
 * take as long as the disk needs. STATUS_CONFLICT with the code "digest": they are not what was
 * reported; the upload is gone. The upload is remembered as complete until uploads_done().
 */
enum status upload_writer_finish(struct upload_writer *writer, struct error *err) MUST_USE;

/*
 * The engine knows of the file (`is_known`): the upload can be looked at for a while, so that a
 * request whose answer was lost can be answered again. Or it does not want it: forget the upload.
 */
void uploads_done(struct uploads *uploads, const char *id, bool is_known);

#endif
