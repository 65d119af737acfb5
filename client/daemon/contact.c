/* News of a project's keys: GET /v1/project and GET /v1/bulletin. */
#include "client/daemon/contact.h"

#include <string.h>

#include "client/agent/delay.h"
#include "client/agent/talk.h"
#include "client/daemon/lane.h"
#include "client/daemon/places.h"
#include "client/daemon/refused.h"
#include "client/daemon/talking.h"
#include "client/daemon/tasks.h"
#include "client/fetch/contact.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "protocol/bulletin.h"

#define BULLETIN_LATEST_MS INT64_C(300000) /* after failures; the most that may be set, too */

/* Durable before it is used; on failure the old one stays. */
static enum status replace_trust(struct attached *project, struct trust *newer, struct error *err)
{
    TRY(save_trust(&project->files, newer, err));
    trust_clear(&project->trust);
    project->trust = *newer;
    *newer = (struct trust){0};
    return STATUS_OK;
}

static bool is_same_trust(const struct trust *a, const struct trust *b)
{
    return digest_equals(&a->keyring_envelope.digest, &b->keyring_envelope.digest) &&
           a->has_freshness == b->has_freshness &&
           digest_equals(&a->freshness_envelope.digest, &b->freshness_envelope.digest);
}

static void stop_for_fork(struct attached *project, const char *other)
{
    const struct data_folder *folder = project->files.folder;
    struct disk_path path;
    struct error err = {0};

    set_words(project->record.stopped,
              "two different keyrings of one version were published: somebody else may hold the "
              "project's root keys. Both are kept; ask the project's operator.");
    LOG(LOG_ERROR, "project.stopped", LOG_S("project", project->record.name),
        LOG_S("why", project->record.stopped));
    if (data_folder_join(folder, &path, &err, "aside/%lld-other-keyring.json",
                         (long long)folder->env->now_s(folder->env)) != STATUS_OK ||
        folder->env->disk->write(folder->env->disk, path.text, other, strlen(other), 0600, &err) !=
            STATUS_OK ||
        save_project_record(&project->files, &project->record, &err) != STATUS_OK)
        log_failure(LOG_WARN, "project.not-saved", &err);
}

/* The presented chain counts only if a CA that the verified keyring lists stands at its end. */
static enum status take_chain(struct daemon *daemon, struct attached *project,
                              const struct trust *trust, const struct http_response *response,
                              struct error *err)
{
    struct project_record *record = &project->record;
    char *pem = NULL;
    char *before = record->ca_pem;
    enum status status;

    TRY(http_chain_find_ca(&response->chain, record->url,
                           trust_judged_s(trust, daemon_now_s(daemon)), trust->keyring.tls_cas,
                           trust->keyring.tls_ca_count, &pem, err));
    record->ca_pem = pem;
    status = save_project_record(&project->files, record, err);
    if (status != STATUS_OK) {
        record->ca_pem = before;
        before = pem;
    }
    free(before);
    return status;
}

static bool is_listed(const struct keyring *keyring, const char *ca_pem)
{
    struct digest ca;

    if (http_ca_digest(ca_pem, strlen(ca_pem), &ca, NULL) != STATUS_OK)
        return false;
    for (size_t i = 0; i < keyring->tls_ca_count; i++)
        if (digest_equals(&keyring->tls_cas[i], &ca))
            return true;
    return false;
}

/* Not before the trust that says so is durable; until this is, each start finds it anew. */
void contact_check_ca(struct attached *project)
{
    struct project_record *record = &project->record;
    struct error err = {0};

    if (record->ca_pem == NULL || digest_is_none(&project->trust.project) ||
        is_listed(&project->trust.keyring, record->ca_pem))
        return;
    LOG(LOG_WARN, "authority.dropped", LOG_S("project", record->name));
    free(record->ca_pem);
    record->ca_pem = NULL;
    project->wants_contact = project->is_first_contact = true;
    if (save_project_record(&project->files, record, &err) != STATUS_OK)
        log_failure(LOG_WARN, "project.not-saved", &err);
}

/* What waited for the site to be trusted again need wait no longer. */
static void wake_transfers(struct daemon *daemon, struct attached *project)
{
    project->download_failures = project->upload_failures = 0;
    project->download_at = project->upload_at = daemon_now(daemon);
}

static enum status refused(enum refusal refusal, struct error *err)
{
    if (err->text[0] == '\0')
        (void)error_set(err, STATUS_UNTRUSTED, "%s", refusal_words(refusal));
    error_code(err, refusal_code(refusal));
    return STATUS_UNTRUSTED;
}

static void note(struct attached *project, const struct contact_refused *what)
{
    if (what->json != NULL)
        refused_note(project, what->what, what->refusal, what->json);
}

/* What the site shows, taken into `trust`; what of it is refused, the site is told. */
static enum status take_keys(struct daemon *daemon, struct attached *project,
                             const struct project *said, struct trust *trust, struct error *err)
{
    struct contact_refused what = {0};
    struct error behind = {0};
    enum refusal refusal;

    if (contact_check_newest(said, project->trust.keyring.version, &what, &behind) != STATUS_OK) {
        note(project, &what);
        if (!places_may_be_behind(daemon, project)) {
            *err = behind;
            return STATUS_UNTRUSTED;
        }
    }
    what = (struct contact_refused){0};
    refusal = contact_take(trust, &project->record.project, said, daemon_now_s(daemon), &what, err);
    note(project, &what);
    if (refusal == REFUSAL_KEYRING_FORK && what.what == REFUSED_KEYRING)
        stop_for_fork(project, what.json);
    return refusal == REFUSAL_NONE ? STATUS_OK : refused(refusal, err);
}

static enum status take_project(struct daemon *daemon, struct attached *project,
                                const struct http_response *response, struct error *err)
{
    CLEANUP(project_clear) struct project said = {0};
    CLEANUP(trust_clear) struct trust trust = {0};

    TRY(project_decode(buffer_text(&response->body), response->body.length, &said, err));
    trust_copy(&project->trust, &trust);
    TRY(take_keys(daemon, project, &said, &trust, err));
    if (project->is_first_contact)
        TRY(take_chain(daemon, project, &trust, response, err));
    if (project->is_first_contact || project->is_place_new)
        wake_transfers(daemon, project);
    if (!is_same_trust(&trust, &project->trust))
        TRY(replace_trust(project, &trust, err));
    project->wants_contact = project->is_first_contact = project->is_keyless = false;
    contact_check_ca(project);
    tasks_check_again(daemon, project);
    return STATUS_OK;
}

static void on_project(struct daemon *daemon, struct attached *project, enum status status,
                       struct http_response *response, const struct error *how)
{
    struct error err = *how;

    if (status == STATUS_OK)
        status = http_check(response, &err);
    if (status == STATUS_OK)
        status = take_project(daemon, project, response, &err);
    if (status != STATUS_OK) {
        project->is_keyless = true;
        talk_failed(daemon, project, status, &err);
        return;
    }
    talk_worked(project);
}

void contact_start(struct daemon *daemon, struct attached *project)
{
    CLEANUP(freep) char *url = site_url(project, "/v1/project");
    struct http_request request = {
        .url = url,
        .ca_pem = project->is_first_contact ? NULL : project->record.ca_pem,
        .max_bytes = PROJECT_MAX,
        .on_first_contact = project->is_first_contact,
    };
    struct error err = {0};
    enum status status;

    project->talk.done = on_project;
    status = lane_start(daemon, &project->talk, &request, &err);
    if (status != STATUS_OK)
        talk_failed(daemon, project, status, &err);
}

/* --- the bulletin --- */

static enum status refuse_freshness(struct attached *project, enum refusal refusal,
                                    const char *text, struct error *err)
{
    refused_note(project, REFUSED_FRESHNESS, refusal, text);
    return refused(refusal, err);
}

static enum status take_freshness(struct daemon *daemon, struct attached *project, const char *text,
                                  struct error *err)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(trust_clear) struct trust trust = {0};
    enum refusal refusal;

    if (envelope_decode(text, strlen(text), ENVELOPE_PAYLOAD_MAX, &envelope, err) != STATUS_OK)
        return refuse_freshness(project, refusal_from_error(err), text, err);
    if (project->trust.has_freshness &&
        digest_equals(&envelope.digest, &project->trust.freshness_envelope.digest))
        return STATUS_OK;
    trust_copy(&project->trust, &trust);
    refusal = trust_accept_freshness(&trust, &envelope, daemon_now_s(daemon), err);
    if (refusal == REFUSAL_NEEDS_NEWER_KEYRING || refusal == REFUSAL_KEYRING_FORK) {
        project->wants_contact = true;
        return STATUS_OK;
    }
    if (refusal != REFUSAL_NONE)
        return refuse_freshness(project, refusal, text, err);
    TRY(replace_trust(project, &trust, err));
    LOG(LOG_INFO, "freshness.taken", LOG_S("project", project->record.name),
        LOG_N("sequence", project->trust.freshness.sequence));
    tasks_check_again(daemon, project);
    return STATUS_OK;
}

/* The first that is heard is no news to a client that has visited since. A client that is not idle
 * now may be so before its next visit. */
static void hear_of_work(struct daemon *daemon, struct attached *project,
                         const struct bulletin_work *work)
{
    bool is_first = !project->has_heard;
    bool is_news = is_first ? project->visited_at == INT64_MIN : work->mark != project->work.mark;
    int64_t at = daemon_now(daemon) + talk_hailed_ms(work->within_s, daemon_draw(daemon));

    if (is_news && at < project->hailed_at)
        project->hailed_at = at;
    project->work = *work;
    project->has_heard = true;
}

static enum status take_bulletin(struct daemon *daemon, struct attached *project,
                                 const struct http_response *response, struct error *err)
{
    CLEANUP(bulletin_clear) struct bulletin bulletin = {0};

    TRY(bulletin_decode(buffer_text(&response->body), response->body.length, &bulletin, err));
    hear_of_work(daemon, project, &bulletin.work);
    if (bulletin.keyring_version > project->trust.keyring.version)
        project->wants_contact = true;
    places_compare(daemon, project, bulletin.keyring_version);
    if (bulletin.freshness != NULL && !project->wants_contact)
        TRY(take_freshness(daemon, project, bulletin.freshness, err));
    (void)text_fit(project->bulletin_etag, sizeof project->bulletin_etag, response->etag);
    return STATUS_OK;
}

/* Half as often each time, but never less than by default. */
static void bulletin_failed(struct daemon *daemon, struct attached *project,
                            const struct error *err)
{
    int64_t wait_ms = daemon->parts.config->bulletin_interval * 1000;

    log_failure(LOG_INFO, "bulletin.failed", err);
    project->bulletin_failures++;
    for (int64_t i = 0; i < project->bulletin_failures && wait_ms < BULLETIN_LATEST_MS; i++)
        wait_ms *= 2;
    if (wait_ms > BULLETIN_LATEST_MS)
        wait_ms = BULLETIN_LATEST_MS;
    project->bulletin_at = daemon_now(daemon) + delay_jittered_ms(wait_ms, daemon_draw(daemon));
    project->look_at = project->bulletin_at;
}

/* By chance, so that a site's clients do not come all at once. */
static void plan_bulletins(struct daemon *daemon, struct attached *project)
{
    int64_t now = daemon_now(daemon);
    int64_t interval_ms = daemon->parts.config->bulletin_interval * 1000;
    int64_t look_ms = talk_look_ms(project->work.look_s, interval_ms);

    project->bulletin_at = now + delay_jittered_ms(interval_ms, daemon_draw(daemon));
    project->look_at = now + delay_jittered_ms(look_ms, daemon_draw(daemon));
}

/* A bulletin that does not come is no reason to hold back a visit. */
static void on_bulletin(struct daemon *daemon, struct attached *project, enum status status,
                        struct http_response *response, const struct error *how)
{
    struct error err = *how;

    if (status == STATUS_OK)
        status = http_check(response, &err);
    if (status == STATUS_OK && response->status != 304)
        status = take_bulletin(daemon, project, response, &err);
    if (status == STATUS_OK) {
        project->bulletin_failures = 0;
        plan_bulletins(daemon, project);
        talk_ask_anew(daemon, project, false);
        return;
    }
    bulletin_failed(daemon, project, &err);
    talk_doubt(project, &err);
    if (status != STATUS_UNTRUSTED)
        return;
    talk_ask_anew(daemon, project, true);
    set_words(project->trouble, err.text);
}

void bulletin_start(struct daemon *daemon, struct attached *project)
{
    CLEANUP(freep) char *url = site_url(project, "/v1/bulletin");
    struct http_request request = {
        .url = url,
        .ca_pem = project->record.ca_pem,
        .max_bytes = BULLETIN_MAX,
        .if_none_match = project->bulletin_etag[0] != '\0' ? project->bulletin_etag : NULL,
    };
    struct error err = {0};

    project->talk.done = on_bulletin;
    if (lane_start(daemon, &project->talk, &request, &err) != STATUS_OK)
        bulletin_failed(daemon, project, &err);
}
