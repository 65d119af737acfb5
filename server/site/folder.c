#include "server/site/folder.h"

#include <string.h>

#include "common/base/env.h"
#include "common/base/text.h"
#include "db/publish.h"
#include "db/query.h"
#include "db/store.h"
#include "server/site/certificate.h"
#include "server/site/config_edit.h"

#define WORDS_PATH_MAX 120 /* of a path in words */

enum status site_path(const char *folder, const char *name, struct disk_path *ret_path,
                      struct error *err)
{
    return disk_join(ret_path, err, "%s/%s", folder, name);
}

static enum status check_part(struct disk *disk, const char *folder, const char *part,
                              struct error *err)
{
    struct disk_path path;

    TRY(site_path(folder, part, &path, err));
    if (disk_has(disk, path.text))
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "%.*s is no whole site: %s is missing; restore it from a backup",
                     WORDS_PATH_MAX, folder, part);
}

static enum status check_whole(struct disk *disk, const char *folder, struct error *err)
{
    static const char *const parts[] = {"site.conf", "secret"};
    struct disk_path path;

    TRY(disk_join(&path, err, "%s.new", folder));
    if (!disk_has(disk, folder) && disk_has(disk, path.text))
        return error_set(err, STATUS_INVALID,
                         "the init of %.*s was cut short: remove %.*s.new and init it again",
                         WORDS_PATH_MAX / 2, folder, WORDS_PATH_MAX / 2, folder);
    if (!disk_has(disk, folder))
        return error_set(err, STATUS_NOT_FOUND,
                         "there is no site in %.*s; make one with dugnad-server init",
                         WORDS_PATH_MAX, folder);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        TRY(check_part(disk, folder, parts[i], err));
    return STATUS_OK;
}

static int64_t size_of(struct disk *disk, const char *path)
{
    struct disk_entry entry;

    return disk->look(disk, path, &entry, NULL) == STATUS_OK ? entry.size_bytes : 0;
}

/* An empty file is a database to SQLite, and would become a site that lost everything. */
static enum status check_database(struct disk *disk, const char *folder, struct error *err)
{
    struct disk_path path, log;

    TRY(check_part(disk, folder, "dugnad.db", err));
    TRY(site_path(folder, "dugnad.db", &path, err));
    TRY(site_path(folder, "dugnad.db-wal", &log, err));
    if (size_of(disk, path.text) > 0 || size_of(disk, log.text) > 0)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "%.*s is no whole site: dugnad.db is empty; restore it "
                     "from a backup",
                     WORDS_PATH_MAX, folder);
}

enum status site_load_config(struct disk *disk, const char *folder, struct config *ret_config,
                             struct error *err)
{
    struct disk_path path;

    TRY(check_whole(disk, folder, err));
    TRY(site_path(folder, "site.conf", &path, err));
    TRY(config_load(disk, path.text, ret_config, err));
    return *ret_config->database.text == '\0' ? check_database(disk, folder, err) : STATUS_OK;
}

enum status site_open_store(const char *folder, const struct config *config, bool runs,
                            struct store **ret_store, struct error *err)
{
    CLEANUP(store_closep) struct store *store = NULL;
    struct disk_path path;

    TRY(site_path(folder, "dugnad.db", &path, err));
    TRY(store_open(*config->database.text != '\0' ? config->database.text : path.text, &store,
                   err));
    TRY(store->join(store, config->server, runs, err));
    *ret_store = TAKE(store);
    return STATUS_OK;
}

static enum status check_readable(struct disk *disk, const char *path, const char *part,
                                  struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    struct error cause = {0};
    enum status status = disk->open_read(disk, path, &file, &cause);

    if (status != STATUS_INVALID && status != STATUS_NOT_FOUND)
        return status == STATUS_OK ? STATUS_OK : error_pass(err, &cause);
    error_set(err, STATUS_STORAGE,
              "the database is damaged: %s is no file; restore it from a backup", part);
    error_code(err, STORE_DAMAGED);
    return STATUS_STORAGE;
}

enum status site_open_store_to_look(struct disk *disk, const char *folder,
                                    const struct config *config, bool *ret_has_log,
                                    struct store **ret_store, struct error *err)
{
    struct disk_path path, log;

    *ret_has_log = false;
    if (*config->database.text != '\0')
        return store_open_postgres_reading(config->database.text, ret_store, err);
    TRY(site_path(folder, "dugnad.db", &path, err));
    TRY(site_path(folder, "dugnad.db-wal", &log, err));
    TRY(check_readable(disk, path.text, "dugnad.db", err));
    if (disk_has(disk, log.text))
        TRY(check_readable(disk, log.text, "dugnad.db-wal", err));
    *ret_has_log = size_of(disk, log.text) > 0;
    return store_open_sqlite_reading(path.text, *ret_has_log, ret_store, err);
}

static bool see_file(void *context, const struct file_line *line)
{
    (void)line;
    *(bool *)context = true;
    return false;
}

enum status site_check_folders(struct disk *disk, const char *folder, struct store *store,
                               struct error *err)
{
    bool has_files = false;

    TRY(store->query->files(store, NULL, 1, see_file, &has_files, err));
    if (!has_files)
        return STATUS_OK;
    return check_part(disk, folder, "files", err);
}

static enum status check_pair(struct disk *disk, const char *folder, struct error *err)
{
    struct disk_path certificate, key;

    TRY(site_path(folder, "tls/ca.pem", &certificate, err));
    TRY(site_path(folder, "tls/ca.key", &key, err));
    return certificate_check_key(
        disk, &(struct certificate_pair){.certificate = certificate.text, .key = key.text}, err);
}

enum status site_check_authority(struct disk *disk, const char *folder, const struct config *config,
                                 struct error *err)
{
    static const char *const parts[] = {"tls/ca.pem", "tls/ca.key"};
    struct disk_path path;

    if (*config->certificate.text != '\0' || config->listen.count == 0)
        return STATUS_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        TRY(site_path(folder, parts[i], &path, err));
        if (!disk_has(disk, path.text))
            return error_set(err, STATUS_INVALID,
                             "%s is missing: the certificate cannot be renewed; restore it from a "
                             "backup",
                             parts[i]);
    }
    return check_pair(disk, folder, err);
}

enum status site_load_secret(struct disk *disk, const char *folder, struct site_secret *ret_secret,
                             struct error *err)
{
    CLEANUP(buffer_clear) struct buffer bytes = {.max = SITE_SECRET_BYTES};
    struct error cause = {0};
    enum status status;
    struct disk_path path;

    TRY(site_path(folder, "secret", &path, err));
    status = disk->read(disk, path.text, &bytes, &cause);
    if (status != STATUS_OK && status != STATUS_TOO_LARGE) {
        error_set(err, STATUS_INVALID, "the site's secret cannot be read: %s", cause.text);
        error_detail(err, "%s", cause.detail);
        return STATUS_INVALID;
    }
    if (status != STATUS_OK || bytes.length != SITE_SECRET_BYTES)
        return error_set(err, STATUS_INVALID,
                         "the site's secret has to be a file of %d bytes; restore it from a backup",
                         SITE_SECRET_BYTES);
    memcpy(ret_secret->bytes, bytes.bytes, SITE_SECRET_BYTES);
    return STATUS_OK;
}

enum status site_certificate(const char *folder, const struct config *config,
                             struct site_certificate *ret_certificate, struct error *err)
{
    struct site_certificate files = {.is_own = *config->certificate.text == '\0'};
    const char *certificate = files.is_own ? "tls/server.pem" : config->certificate.text;
    const char *key = files.is_own ? "tls/server.pem" : config->certificate_key.text;

    if (*certificate == '/')
        TRY(disk_join(&files.certificate, err, "%s", certificate));
    else
        TRY(site_path(folder, certificate, &files.certificate, err));
    if (*key == '/')
        TRY(disk_join(&files.key, err, "%s", key));
    else
        TRY(site_path(folder, key, &files.key, err));
    *ret_certificate = files;
    return STATUS_OK;
}

static enum status make_certificate(struct env *env, const char *folder,
                                    const struct certificate_host *host, struct error *err)
{
    struct disk_path ca;
    struct disk_path ca_key;
    struct disk_path path;

    TRY(site_path(folder, "tls/ca.pem", &ca, err));
    TRY(site_path(folder, "tls/ca.key", &ca_key, err));
    TRY(site_path(folder, "tls/server.pem", &path, err));
    return certificate_make(env,
                            &(struct certificate_pair){.certificate = ca.text, .key = ca_key.text},
                            host, path.text, err);
}

static bool is_good_for_long(const struct certificate_facts *facts, int64_t now_s)
{
    int64_t life_s = CERTIFICATE_DAYS * INT64_C(86400);

    return facts->names_host && facts->begins_s <= now_s && facts->ends_s - now_s > life_s / 3;
}

enum status site_renew_certificate(struct env *env, const char *folder, const struct config *config,
                                   bool *ret_is_new, struct error *err)
{
    struct site_certificate files;
    struct certificate_facts facts;
    struct certificate_host host;
    struct certificate_pair pair;

    TRY(site_certificate(folder, config, &files, err));
    *ret_is_new = false;
    if (!files.is_own)
        return STATUS_OK;
    TRY(certificate_host_of(config->url.text, &host, err));
    pair = (struct certificate_pair){.certificate = files.certificate.text, .key = files.key.text};
    if (certificate_look(env->disk, files.certificate.text, &host, &facts, NULL) == STATUS_OK &&
        certificate_check_key(env->disk, &pair, NULL) == STATUS_OK &&
        is_good_for_long(&facts, env->now_s(env)))
        return STATUS_OK;
    TRY(make_certificate(env, folder, &host, err));
    *ret_is_new = true;
    return STATUS_OK;
}

enum status site_check_certificate(struct env *env, const char *folder, const struct config *config,
                                   struct error *err)
{
    struct site_certificate files;
    struct certificate_facts facts;
    struct certificate_host host;
    int64_t now_s = env->now_s(env);
    const char *path = files.certificate.text;
    enum status status;

    TRY(site_certificate(folder, config, &files, err));
    TRY(certificate_host_of(config->url.text, &host, err));
    status = certificate_look(env->disk, path, &host, &facts, err);
    if (status == STATUS_NOT_FOUND)
        return error_set(err, STATUS_INVALID, "there is no certificate %.*s", WORDS_PATH_MAX, path);
    TRY(status);
    if (facts.begins_s > now_s)
        return error_set(err, STATUS_INVALID, "the certificate %.*s is not valid yet",
                         WORDS_PATH_MAX, path);
    if (facts.ends_s <= now_s)
        return error_set(err, STATUS_INVALID, "the certificate %.*s has expired; renew it",
                         WORDS_PATH_MAX, path);
    if (!facts.names_host)
        return error_set(err, STATUS_INVALID, "the certificate %.*s is not for %.60s",
                         WORDS_PATH_MAX, path, host.text);
    return certificate_check_key(
        env->disk, &(struct certificate_pair){.certificate = path, .key = files.key.text}, err);
}

/* A second server is a copy of the first one's folder: both have one secret and one authority. */
static enum status refuse_site(struct store *store, struct error *err)
{
    struct site site;
    enum status status = store->publish->site_load(store, &site, err);

    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    return error_set(err, STATUS_CONFLICT,
                     "the database holds the site \"%s\" already; to add a server, copy a server's "
                     "folder and give it a `server` number of its own",
                     site.name);
}

static enum status make_database(struct env *env, const char *folder, const struct config *config,
                                 struct error *err)
{
    CLEANUP(store_closep) struct store *store = NULL;
    CLEANUP(txn_end) struct txn txn = {0};
    struct site site = {.incarnation = 1, .created_s = env->now_s(env)};

    TRY(site_open_store(folder, config, false, &store, err));
    TRY(txn_begin(&txn, store, err));
    TRY(refuse_site(store, err));
    site.committed_s = site.created_s;
    (void)text_fit(site.name, sizeof site.name, config->name.text);
    TRY(store->publish->site_save(store, &site, err));
    return txn_commit(&txn, err);
}

static enum status make_secret(struct env *env, const char *folder, struct error *err)
{
    struct site_secret secret;
    struct disk_path path;

    env->random(env, secret.bytes, sizeof secret.bytes);
    TRY(site_path(folder, "secret", &path, err));
    return env->disk->write(env->disk, path.text, secret.bytes, sizeof secret.bytes, 0600, err);
}

static enum status make_authority(struct env *env, const char *folder, const struct config *config,
                                  struct error *err)
{
    struct certificate_host host;
    struct disk_path ca;
    struct disk_path key;

    TRY(certificate_host_of(config->url.text, &host, err));
    if (*config->certificate.text != '\0')
        return STATUS_OK;
    TRY(site_path(folder, "tls", &ca, err));
    TRY(env->disk->make_folder(env->disk, ca.text, 0700, err));
    TRY(site_path(folder, "tls/ca.pem", &ca, err));
    TRY(site_path(folder, "tls/ca.key", &key, err));
    TRY(certificate_make_ca(env, config->name.text,
                            &(struct certificate_pair){.certificate = ca.text, .key = key.text},
                            err));
    return make_certificate(env, folder, &host, err);
}

static enum status make_parts(struct env *env, const char *folder, const struct config *config,
                              struct error *err)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = CONFIG_FILE_MAX};
    struct disk_path path;

    TRY(make_secret(env, folder, err));
    TRY(make_authority(env, folder, config, err));
    TRY(buffer_append_text(&text, CONFIG_HEAD "\n", err));
    config_sample(config, &text);
    TRY(buffer_append_text(&text, CONFIG_END "\n", err));
    TRY(site_path(folder, "site.conf", &path, err));
    TRY(env->disk->write(env->disk, path.text, text.bytes, text.length, 0600, err));
    return make_database(env, folder, config, err);
}

enum status site_make(struct env *env, const char *folder, const struct config *config,
                      struct error *err)
{
    struct disk *disk = env->disk;
    struct disk_path made;
    enum status status;

    TRY(disk_join(&made, err, "%s.new", folder));
    if (disk_has(disk, folder))
        return error_set(err, STATUS_CONFLICT, "%.*s exists already", WORDS_PATH_MAX, folder);
    if (disk_has(disk, made.text))
        return error_set(err, STATUS_CONFLICT,
                         "%.*s is left of an init that was cut short; remove it first",
                         WORDS_PATH_MAX, made.text);
    if (*config->certificate.text != '\0')
        TRY(site_check_certificate(env, folder, config, err));
    TRY(disk_make_folders(disk, made.text, 0700, err));
    status = make_parts(env, made.text, config, err);
    if (status != STATUS_OK) {
        (void)disk->remove_tree(disk, made.text, NULL);
        return status;
    }
    TRY(disk->sync_folder(disk, made.text, err));
    TRY(disk->rename(disk, made.text, folder, err));
    return disk_sync_parent(disk, folder, err);
}
