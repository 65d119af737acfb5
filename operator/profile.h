/*
 * One connection of an operator, kept in a folder of his (0700, files 0600):
 *
 *   profile.json   {"url", "project": digest or null, "name"}
 *   token          the operator's token
 *   ca.pem         a CA that is trusted for this site, if it needs one
 *   signed.json    the last freshness that this profile signed
 *   keyrings/      those that this profile published, VERSION.json (operator/site_behind.h)
 *   trust.json     the chain of trust, once the project has a keyring (trust_encode())
 *   keys/          root-use, root-spare, app, work, fresh: NAME.pem, encrypted
 *   batches/NAME/  what was submitted: see operator/batch_record.h
 *   lock           held by whoever writes any of these but batches/ (profile_hold())
 */
#ifndef OPERATOR_PROFILE_H
#define OPERATOR_PROFILE_H

#include "common/base/disk.h"
#include "common/base/options.h"
#include "operator/session.h"
#include "protocol/words.h"
#include "work-units/trust.h"

#define PROFILE_URL_MAX 255
#define PROFILE_CA_MAX  (16 * 1024)
#define PROFILE_WAIT_S  60 /* for another command that holds the profile */

struct profile {
    struct session *session; /* borrowed */
    struct disk_path folder;
    char url[PROFILE_URL_MAX + 1]; /* https://host[:port], without a slash at the end */
    char name[100 + 1];            /* of the project, as the site says */
    struct digest project;         /* pinned; none: the site was unclaimed */
    struct token token;            /* none: not given */
    char *ca_pem;                  /* owned; NULL: the system's store alone */
    struct trust trust;            /* of no project until there is a keyring */
    struct disk_file *lock;        /* owned; NULL: others may write the profile */
    bool has_seen_site;            /* the site said what it has: site_follow() */
    int64_t site_upload_max;       /* then: bytes of the largest output that it takes */
    int64_t site_keyring;          /* then: version of the newest keyring there; 0: none */
    bool has_said_behind;          /* site_behind_say() */
};

void profile_clear(struct profile *profile); /* for CLEANUP(), too */

/*
 * The folder: --profile, else DUGNAD_PROFILE, else ~/.config/dugnad/<name>. A value without a slash
 * is a name there; without any the name is "default".
 */
enum status profile_find(struct profile *ret_profile, struct session *session,
                         const struct options *options, struct error *err) MUST_USE;

/* Find and read it. STATUS_NOT_FOUND, with advice: nobody connected yet. */
enum status profile_open(struct profile *ret_profile, struct session *session,
                         const struct options *options, struct error *err) MUST_USE;

/*
 * Be the only one who writes it, until profile_release() or profile_clear(). Waits for another
 * command, up to PROFILE_WAIT_S, and says so; then reads anew what that one may have learnt of the
 * project. Held already: nothing. Ask for passphrases before. STATUS_BUSY, code SESSION_HELD.
 */
enum status profile_hold(struct profile *profile, struct error *err) MUST_USE;
void profile_release(struct profile *profile);

/* Make the folders and write everything but keys and batches, durably; holds it meanwhile. */
enum status profile_save(const struct profile *profile, struct error *err) MUST_USE;
enum status profile_save_trust(const struct profile *profile, struct error *err) MUST_USE;

/* A file within the folder. */
enum status profile_path(const struct profile *profile, struct disk_path *ret_path,
                         struct error *err, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* "https://host[:port]" and the 43 characters after '#', if any. STATUS_INVALID says what is
 * wrong. *ret_project none: no fragment. */
enum status link_parse(const char *link, char *ret_url, size_t size, struct digest *ret_project,
                       struct error *err) MUST_USE;

/* The attach link, to be freed. */
char *link_format(const char *url, const struct digest *project);

/* Does the project's keyring list this site? False, too, while it has none. */
bool profile_url_is_listed(const struct profile *profile, const char *url);

/* The link for volunteers, to be freed: by a place that the keyring lists, if there is one. */
char *profile_link(const struct profile *profile);

#endif
