#include "operator/profile.h"

#include <stdarg.h>
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "common/http/url.h"
#include "common/json/build.h"
#include "common/json/members.h"
#include "common/json/profile.h"

#define FILE_MODE   0600
#define FOLDER_MODE 0700

#define LOCK_PAUSE_MS 100

static const struct profile_limits file_limits = {.bytes = 8192, .depth = 2};

void profile_clear(struct profile *profile)
{
    free(profile->ca_pem);
    profile_release(profile);
    trust_clear(&profile->trust);
    secret_clear(&profile->token, sizeof profile->token);
    *profile = (struct profile){0};
}

/* --- links --- */

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr(".-:[]", c) != NULL;
}

static enum status check_url(const char *url, size_t length, struct error *err)
{
    static const char scheme[] = "https://";

    if (!text_starts_with(url, scheme) || length <= sizeof scheme - 1)
        return error_set(err, STATUS_INVALID, "the link is https://host[:port]/#project");
    for (size_t i = sizeof scheme - 1; i < length; i++)
        if (url[i] == '\0' || !is_host_char(url[i]))
            return error_set(err, STATUS_INVALID,
                             "the link holds a host and a port, no path or query");
    return STATUS_OK;
}

enum status link_parse(const char *link, char *ret_url, size_t size, struct digest *ret_project,
                       struct error *err)
{
    const char *hash = strchr(link, '#');
    size_t length = hash != NULL ? (size_t)(hash - link) : strlen(link);
    struct digest project = {0};

    if (length > 0 && link[length - 1] == '/')
        length--;
    if (length >= size)
        return error_set(err, STATUS_INVALID, "the link is longer than %zu characters", size - 1);
    TRY(check_url(link, length, err));
    if (hash != NULL &&
        !base64url_decode(hash + 1, strlen(hash + 1), project.bytes, sizeof project.bytes))
        return error_set(err, STATUS_INVALID,
                         "the project's id after '#' has 43 characters: is the link whole?");
    memcpy(ret_url, link, length);
    ret_url[length] = '\0';
    *ret_project = project;
    return STATUS_OK;
}

char *link_format(const char *url, const struct digest *project)
{
    char id[BASE64URL_CHARS(DIGEST_BYTES) + 1];

    base64url_encode(project->bytes, sizeof project->bytes, id);
    return text_format("%s/#%s", url, id);
}

bool profile_url_is_listed(const struct profile *profile, const char *url)
{
    const struct texts *urls = &profile->trust.keyring.urls;

    for (size_t i = 0; i < urls->count; i++)
        if (http_url_is_same_origin(urls->texts[i], url))
            return true;
    return false;
}

char *profile_link(const struct profile *profile)
{
    const struct texts *urls = &profile->trust.keyring.urls;
    bool is_here = urls->count == 0 || profile_url_is_listed(profile, profile->url);

    return link_format(is_here ? profile->url : urls->texts[0], &profile->project);
}

/* --- the folder --- */

enum status profile_path(const struct profile *profile, struct disk_path *ret_path,
                         struct error *err, const char *fmt, ...)
{
    CLEANUP(freep) char *name = NULL;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&name, fmt, args) < 0)
        abort();
    va_end(args);
    return disk_join(ret_path, err, "%s/%s", profile->folder.text, name);
}

enum status profile_find(struct profile *ret_profile, struct session *session,
                         const struct options *options, struct error *err)
{
    const char *named = options_text(options, "profile");
    struct profile profile = {.session = session};

    if (named == NULL)
        named = session->profile != NULL ? session->profile : "default";
    if (strchr(named, '/') != NULL || strcmp(named, ".") == 0)
        TRY(disk_join(&profile.folder, err, "%s", named));
    else if (session->home == NULL)
        return error_set(err, STATUS_INVALID, "HOME is not set: say --profile FOLDER");
    else
        TRY(disk_join(&profile.folder, err, "%s/.config/dugnad/%s", session->home, named));
    *ret_profile = profile;
    return STATUS_OK;
}

static enum status read_file(struct profile *profile, const char *name, struct buffer *content,
                             struct error *err)
{
    struct disk *disk = profile->session->env->disk;
    struct disk_path path;

    TRY(profile_path(profile, &path, err, "%s", name));
    return disk->read(disk, path.text, content, err);
}

static enum status write_file(const struct profile *profile, const char *name, const char *text,
                              struct error *err)
{
    struct disk *disk = profile->session->env->disk;
    struct disk_path path;

    TRY(profile_path(profile, &path, err, "%s", name));
    return disk->write(disk, path.text, text, strlen(text), FILE_MODE, err);
}

static enum status parse_main(struct profile *profile, const struct buffer *content,
                              struct error *err)
{
    json_auto_t *root = NULL;
    struct members members;

    TRY(profile_parse(buffer_text(content), content->length, &file_limits, &root, err));
    members_begin(&members, root, err);
    members_copy_text(&members, "url", profile->url, sizeof profile->url);
    members_copy_text(&members, "name", profile->name, sizeof profile->name);
    if (members_has(&members, "project"))
        profile->project = members_digest(&members, "project");
    return members_end(&members);
}

static enum status read_main(struct profile *profile, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer content = {0};
    enum status status;

    buffer_init(&content, file_limits.bytes);
    status = read_file(profile, "profile.json", &content, err);
    if (status == STATUS_NOT_FOUND)
        return error_set(err, STATUS_NOT_FOUND,
                         "there is no profile yet: begin with 'dugnad connect URL' (%.100s)",
                         profile->folder.text);
    TRY(status);
    return parse_main(profile, &content, err);
}

static enum status read_token(struct profile *profile, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer content = {0};
    enum status status;

    buffer_init(&content, 256);
    status = read_file(profile, "token", &content, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    if (!token_parse(buffer_text(&content), &profile->token))
        return error_set(err, STATUS_INVALID, "the profile's file \"token\" holds no token");
    return STATUS_OK;
}

static enum status read_ca(struct profile *profile, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer content = {0};
    enum status status;

    buffer_init(&content, PROFILE_CA_MAX);
    status = read_file(profile, "ca.pem", &content, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    profile->ca_pem = buffer_take(&content);
    return STATUS_OK;
}

static enum status read_trust(struct profile *profile, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer content = {0};
    enum status status;

    buffer_init(&content, TRUST_STATE_MAX);
    status = read_file(profile, "trust.json", &content, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    return trust_decode(content.bytes, content.length, &profile->trust, err);
}

enum status profile_open(struct profile *ret_profile, struct session *session,
                         const struct options *options, struct error *err)
{
    CLEANUP(profile_clear) struct profile profile = {0};

    TRY(profile_find(&profile, session, options, err));
    TRY(read_main(&profile, err));
    TRY(read_token(&profile, err));
    TRY(read_ca(&profile, err));
    TRY(read_trust(&profile, err));
    *ret_profile = profile;
    profile = (struct profile){0};
    return STATUS_OK;
}

/* --- one at a time --- */

/* The lock of a folder that is there. */
static enum status take_lock(const struct profile *profile, struct disk_file **ret_lock,
                             struct error *err)
{
    struct session *session = profile->session;
    struct env *env = session->env;
    int64_t end_mono_ms = env->now_mono_ms(env) + PROFILE_WAIT_S * 1000;
    struct disk_path path;
    bool is_said = false;
    enum status status;

    TRY(profile_path(profile, &path, err, "lock"));
    while ((status = env->disk->lock(env->disk, path.text, ret_lock, err)) == STATUS_BUSY) {
        if (env->now_mono_ms(env) >= end_mono_ms || session_is_interrupted(session)) {
            error_set(err, STATUS_BUSY, "another dugnad is still at work on this profile");
            error_code(err, SESSION_HELD);
            return STATUS_BUSY;
        }
        if (!is_said)
            session_warn(session, "another dugnad is at work on this profile, waiting for it");
        is_said = true;
        env->sleep_ms(env, LOCK_PAUSE_MS);
    }
    return status;
}

static enum status read_anew(struct profile *profile, struct error *err)
{
    CLEANUP(profile_clear) struct profile again = {.session = profile->session};

    again.folder = profile->folder;
    TRY(read_main(&again, err));
    TRY(read_trust(&again, err));
    memcpy(profile->name, again.name, sizeof profile->name);
    profile->project = again.project;
    trust_clear(&profile->trust);
    profile->trust = again.trust;
    again.trust = (struct trust){0};
    return STATUS_OK;
}

enum status profile_hold(struct profile *profile, struct error *err)
{
    if (profile->lock != NULL)
        return STATUS_OK;
    TRY(take_lock(profile, &profile->lock, err));
    return read_anew(profile, err);
}

void profile_release(struct profile *profile)
{
    disk_file_close(profile->lock);
    profile->lock = NULL;
}

/* --- writing --- */

static char *main_text(const struct profile *profile)
{
    json_auto_t *root = json_object();

    build_set(root, "url", json_string(profile->url));
    build_set(root, "name", json_string(profile->name));
    if (!digest_is_none(&profile->project))
        build_set(root, "project", json_string(digest_format(&profile->project).text));
    return profile_print(root);
}

enum status profile_save_trust(const struct profile *profile, struct error *err)
{
    CLEANUP(freep) char *text = NULL;

    if (digest_is_none(&profile->trust.project))
        return STATUS_OK;
    text = trust_encode(&profile->trust);
    return write_file(profile, "trust.json", text, err);
}

enum status profile_save(const struct profile *profile, struct error *err)
{
    static const char *const folders[] = {"keys", "batches"};
    struct disk *disk = profile->session->env->disk;
    CLEANUP(disk_file_closep) struct disk_file *lock = NULL;
    CLEANUP(freep) char *text = main_text(profile);
    struct disk_path path;

    TRY(disk_make_folders(disk, profile->folder.text, FOLDER_MODE, err));
    if (profile->lock == NULL)
        TRY(take_lock(profile, &lock, err));
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        TRY(profile_path(profile, &path, err, "%s", folders[i]));
        TRY(disk->make_folder(disk, path.text, FOLDER_MODE, err));
    }
    if (profile->token.text[0] != '\0')
        TRY(write_file(profile, "token", profile->token.text, err));
    if (profile->ca_pem != NULL)
        TRY(write_file(profile, "ca.pem", profile->ca_pem, err));
    TRY(profile_save_trust(profile, err));
    return write_file(profile, "profile.json", text,
                      err); /* last: its presence says all is there */
}
