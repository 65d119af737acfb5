/*
 * A site's folder: what lies where in it, whether it is whole, and how it is made.
 *
 *   site.conf       what the operator may change
 *   secret          32 random bytes: tokens of hosts and challenges come from it
 *   dugnad.db       the database (also -wal and -shm), unless site.conf names another
 *   files/          see server/files/; uploads/ in it holds outputs on their way in
 *   tls/            ca.pem, ca.key and server.pem, unless the operator brought a certificate
 *   lock            held by the server that runs here
 */
#ifndef SERVER_SITE_FOLDER_H
#define SERVER_SITE_FOLDER_H

#include "common/base/disk.h"
#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "server/site/config.h"

struct env;

#define SITE_SECRET_BYTES 32

struct site_secret {
    uint8_t bytes[SITE_SECRET_BYTES];
};

/* DIR/name. */
enum status site_path(const char *folder, const char *name, struct disk_path *ret_path,
                      struct error *err) MUST_USE;

/*
 * STATUS_NOT_FOUND: there is no site. STATUS_INVALID: a half-written one, a part is missing, or
 * site.conf is wrong. Each says what to do.
 */
enum status site_load_config(struct disk *disk, const char *folder, struct config *ret_config,
                             struct error *err) MUST_USE;

enum status site_load_secret(struct disk *disk, const char *folder, struct site_secret *ret_secret,
                             struct error *err) MUST_USE;

struct store;

/*
 * The database of the site: the one that site.conf names, or its own. `runs`: for the server
 * itself; STATUS_BUSY: another one has its number.
 */
enum status site_open_store(const char *folder, const struct config *config, bool runs,
                            struct store **ret_store, struct error *err) MUST_USE;

/*
 * The same, to look at: nothing of it or beside it changes. *ret_has_log: an embedded one has a
 * write-ahead log, as it has after every end but a clean one. STATUS_NOT_FOUND: no site is in it.
 * Code STORE_DAMAGED: it is no database, or a part of one.
 */
enum status site_open_store_to_look(struct disk *disk, const char *folder,
                                    const struct config *config, bool *ret_has_log,
                                    struct store **ret_store, struct error *err) MUST_USE;

/*
 * STATUS_INVALID: files/ is missing, and the database knows of files. (Of a site that
 * never had one they are made when it is served.)
 */
enum status site_check_folders(struct disk *disk, const char *folder, struct store *store,
                               struct error *err) MUST_USE;

/* STATUS_INVALID: a part of the site's own authority is missing, cut short or of another one, so
 * that the certificate cannot be renewed. STATUS_OK where there need not be one. */
enum status site_check_authority(struct disk *disk, const char *folder, const struct config *config,
                                 struct error *err) MUST_USE;

/* Where the certificate in use is: the operator's, or the site's own. */
struct site_certificate {
    struct disk_path certificate;
    struct disk_path key;
    bool is_own; /* made by the site's authority; renewed by the server */
};
enum status site_certificate(const char *folder, const struct config *config,
                             struct site_certificate *ret_certificate, struct error *err) MUST_USE;

/* A new certificate if the own one is missing, is for another host, or less than a third of its
 * life is left. *ret_is_new: it was. An operator's certificate is left alone. */
enum status site_renew_certificate(struct env *env, const char *folder, const struct config *config,
                                   bool *ret_is_new, struct error *err) MUST_USE;

/* STATUS_INVALID, in words: missing, not valid yet, over, for another host than the url's,
 * or of another key. */
enum status site_check_certificate(struct env *env, const char *folder, const struct config *config,
                                   struct error *err) MUST_USE;

/*
 * Make a site in `folder`.new and give it its name when it is whole. STATUS_CONFLICT: there is
 * something of that name, or a leftover of an init that was cut short, or the database named in
 * `config` holds a site already.
 */
enum status site_make(struct env *env, const char *folder, const struct config *config,
                      struct error *err) MUST_USE;

#endif
