/* What a daemon does about the control verbs. */
#include "client/daemon/daemon.h"

#include <string.h>

#include "client/control/verbs.h"
#include "client/daemon/leave.h"
#include "client/daemon/projects.h"
#include "client/daemon/run.h"
#include "client/daemon/status.h"
#include "client/fetch/contact.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "common/json/build.h"
#include "common/json/members.h"

/* --- attach --- */

/* Where the project was before is still what its owner may call it by. */
static void keep_urls(const struct attached *known, struct project_record *record)
{
    struct known_urls urls = known->record.known_urls;

    for (size_t i = 0; i < record->known_urls.count; i++)
        (void)known_urls_note(&urls, record->known_urls.urls[i].text);
    if (known->record.url[0] != '\0')
        (void)known_urls_note(&urls, known->record.url);
    record->known_urls = urls;
}

/* Trust before the record: a project exists once its record does. */
static enum status store_attached(struct daemon *daemon, struct attached *project,
                                  struct project_record *record, struct trust *trust,
                                  struct error *err)
{
    int64_t now = daemon_now(daemon);

    keep_urls(project, record);
    TRY(save_trust(&project->files, trust, err));
    TRY(save_project_record(&project->files, record, err));
    project_record_clear(&project->record);
    project->record = *record;
    *record = (struct project_record){0};
    trust_clear(&project->trust);
    project->trust = *trust;
    *trust = (struct trust){0};
    project->hold_until = now;
    project->failures = 0;
    project->places_of = 0;
    project->is_place_new = false;
    return STATUS_OK;
}

/*
 * Of a project that lies there and could not be loaded more may be known than the owner brings:
 * nothing is written over it.
 */
static enum status find_or_load(struct daemon *daemon, const struct digest *id,
                                struct attached **ret_project, struct error *err)
{
    struct error own = {0};

    *ret_project = daemon_find(daemon, id);
    if (*ret_project == NULL)
        *ret_project = attached_load(daemon, id, &own);
    if (*ret_project != NULL || own.status == STATUS_NOT_FOUND)
        return STATUS_OK;
    return error_set(err, own.status, "what is known of this project cannot be read: %s", own.text);
}

/* Never less than what is known already, and never another project's site. */
static enum status check_attach(const struct attached *known, const struct project_record *record,
                                const struct trust *trust, struct error *err)
{
    if (!digest_equals(&record->project, &trust->project))
        return error_set(err, STATUS_UNTRUSTED, "the keys are of another project");
    if (!contact_is_listed(&trust->keyring, record->url))
        return error_set(err, STATUS_UNTRUSTED, "the project's keyring does not list this URL");
    if (known != NULL && known->trust.keyring.version > trust->keyring.version)
        return error_set(err, STATUS_CONFLICT, "newer keys of this project are known already");
    return STATUS_OK;
}

static enum status attach(struct daemon *daemon, struct project_record *record, struct trust *trust,
                          struct error *err)
{
    struct attached *project;
    enum status status;
    bool is_new;

    TRY(find_or_load(daemon, &record->project, &project, err));
    is_new = project == NULL;
    TRY(check_attach(project, record, trust, err));
    if (is_new)
        project = attached_add(daemon, &record->project, err);
    if (project == NULL)
        return err->status;
    LOG(LOG_INFO, "project.attached", LOG_S("project", record->name), LOG_S("url", record->url));
    status = store_attached(daemon, project, record, trust, err);
    if (status != STATUS_OK && is_new)
        attached_free(daemon, project);
    return status;
}

static enum status on_attach(struct daemon *daemon, struct members *root, struct error *err)
{
    CLEANUP(project_record_clear) struct project_record record = {0};
    CLEANUP(trust_clear) struct trust trust = {0};
    const char *project = members_lines(root, "record", PROJECT_RECORD_MAX);
    const char *chain = members_lines(root, "trust", TRUST_STATE_MAX);

    TRY(members_end(root));
    TRY(project_record_decode(project, strlen(project), &record, err));
    TRY(trust_decode(chain, strlen(chain), &trust, err));
    return attach(daemon, &record, &trust, err);
}

/* --- detach --- */

static bool is_id(const struct digest *project, const char *name)
{
    char id[BASE64URL_CHARS(DIGEST_BYTES) + 1];
    struct digest_text digest = digest_format(project);

    base64url_encode(project->bytes, DIGEST_BYTES, id);
    return strcmp(id, name) == 0 || strcmp(digest.text, name) == 0;
}

static bool is_called(const struct attached *project, const char *name)
{
    return strcmp(project->record.name, name) == 0 || strcmp(project->record.url, name) == 0 ||
           is_id(&project->record.project, name);
}

/* As its attach link or another URL of it, of now or of before. */
static bool is_known_as(const struct attached *project, const char *name)
{
    struct known_urls listed = {.count = 0};
    const struct texts *urls = &project->trust.keyring.urls;
    const char *hash = strchr(name, '#');

    if (hash != NULL)
        return is_id(&project->record.project, hash + 1);
    for (size_t i = 0; i < urls->count; i++)
        (void)known_urls_note(&listed, urls->texts[i]);
    (void)known_urls_note(&listed, project->record.url);
    return known_urls_have(&listed, name) || known_urls_have(&project->record.known_urls, name);
}

static enum status find_only(const struct daemon *daemon, const char *name,
                             bool (*is_it)(const struct attached *project, const char *name),
                             struct attached **ret_project, struct error *err)
{
    *ret_project = NULL;
    for (size_t i = 0; i < daemon->project_count; i++) {
        if (!is_it(daemon->projects[i], name))
            continue;
        if (*ret_project != NULL)
            return error_set(err, STATUS_INVALID, "two projects are called so; name its id");
        *ret_project = daemon->projects[i];
    }
    return STATUS_OK;
}

/* As status shows it comes first: where one project was, another may be now. */
static enum status find_called(const struct daemon *daemon, const char *name,
                               struct attached **ret_project, struct error *err)
{
    TRY(find_only(daemon, name, is_called, ret_project, err));
    if (*ret_project == NULL)
        TRY(find_only(daemon, name, is_known_as, ret_project, err));
    if (*ret_project == NULL)
        return error_set(err, STATUS_NOT_FOUND, "no attached project is called so");
    return STATUS_OK;
}

static enum status take_leave(struct daemon *daemon, struct attached *project, enum detach_how how,
                              struct error *err)
{
    if (how == DETACH_FORGET)
        return leave_forget(daemon, project, err);
    if (how == DETACH_FINISH && daemon->parts.runs_nothing)
        return error_set(err, STATUS_INVALID,
                         "no daemon runs, so nothing of it can finish; start one with: "
                         "dugnad-client run");
    return leave_begin(daemon, project, how == DETACH_FINISH ? LEAVING_FINISH : LEAVING_NOW, err);
}

static enum status on_detach(struct daemon *daemon, struct members *root, json_t *answer,
                             struct error *err)
{
    const char *name = members_text(root, "project", 1, HTTP_URL_MAX - 1);
    enum detach_how how = detach_how_from_name(members_text(root, "how", 1, 16));
    struct attached *project;
    struct digest id;

    (void)members_integer(root, "wait_s", 0, DETACH_WAIT_MAX_S);
    TRY(members_end(root));
    if (how > DETACH_FORGET)
        return error_set(err, STATUS_INVALID, "this daemon does not know that way to detach");
    TRY(find_called(daemon, name, &project, err));
    id = project->record.project;
    TRY(take_leave(daemon, project, how, err));
    build_set(answer, "project", json_string(digest_format(&id).text));
    return STATUS_OK;
}

/* --- pause, resume --- */

static enum status set_paused(struct daemon *daemon, bool is_paused, struct error *err)
{
    struct disk *disk = daemon->env->disk;
    struct disk_path path;
    enum status status;

    TRY(data_folder_join(daemon->parts.folder, &path, err, "paused"));
    if (is_paused)
        status = disk->write(disk, path.text, "", 0, 0600, err);
    else
        status = disk->remove(disk, path.text, err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    daemon->is_paused = is_paused;
    run_pause_all(daemon, is_paused);
    return STATUS_OK;
}

/* `answer` is a good one; what there is to say besides is added to it. */
static enum status carry_out(struct daemon *daemon, struct members *root, const char *verb,
                             json_t *answer, struct error *err)
{
    if (strcmp(verb, "attach") == 0)
        return on_attach(daemon, root, err);
    if (strcmp(verb, "detach") == 0)
        return on_detach(daemon, root, answer, err);
    TRY(members_end(root));
    if (strcmp(verb, "pause") == 0)
        return set_paused(daemon, true, err);
    if (strcmp(verb, "resume") == 0)
        return set_paused(daemon, false, err);
    return error_set(err, STATUS_INVALID, "this daemon does not know the verb \"%.40s\"", verb);
}

json_t *daemon_answer(struct daemon *daemon, json_t *request)
{
    json_t *answer;
    struct error err = {0};
    struct members root;
    const char *verb;

    members_begin(&root, request, &err);
    verb = members_text(&root, "verb", 1, 40);
    if (strcmp(verb, "status") == 0 && members_end(&root) == STATUS_OK)
        return status_of_daemon(daemon);
    answer = answer_ok();
    if (carry_out(daemon, &root, verb, answer, &err) == STATUS_OK)
        return answer;
    json_decref(answer);
    return answer_failure(&err);
}
