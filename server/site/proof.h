/* What a running server rests on, tried once before it begins, instead of failing for ever after.
 */
#ifndef SERVER_SITE_PROOF_H
#define SERVER_SITE_PROOF_H

#include "common/base/disk.h"
#include "common/base/error.h"

/*
 * Of a site whose files/ is open (server/files/): each folder takes a file, syncs it and lets it
 * be removed; what comes into files/uploads and files/incoming can be renamed into each part of
 * files/. A full disk passes: it is no lasting fault, and the server says of it what it stops.
 * Else the words name the folder and what to do, the detail the cause and whose the thing is.
 * `server`: its number, 1..256. What its proof left that was cut short goes with the next one.
 */
enum status site_prove(struct disk *disk, const char *folder, int64_t server, struct error *err)
    MUST_USE;

/* The same of tls/, where the site's own certificate is renewed. */
enum status site_prove_authority(struct disk *disk, const char *folder, int64_t server,
                                 struct error *err) MUST_USE;

/* The same of files that are there already: the database's can be opened for writing. */
enum status site_prove_database(struct disk *disk, const char *folder, struct error *err) MUST_USE;

#endif
