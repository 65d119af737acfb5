/* How this host becomes known to a project's server: a challenge, signed with the host's own key.
 */
#include "client/daemon/enrol.h"

#include <string.h>

#include "client/daemon/lane.h"
#include "client/daemon/talking.h"
#include "client/daemon/visit.h"
#include "client/fetch/contact.h"
#include "common/base/log.h"
#include "common/base/text.h"

/* The key is durable before anybody hears of it. */
static enum status need_key(struct daemon *daemon, struct attached *project, struct error *err)
{
    CLEANUP(private_key_clear) struct private_key key = {0};
    struct disk_path path;

    if (!public_key_is_none(&project->key.public_key))
        return STATUS_OK;
    TRY(project_files_join(&project->files, &path, err, "host.key"));
    private_key_generate(&key, daemon->env);
    TRY(private_key_save(&key, daemon->env, path.text, NULL, err));
    project->key = key;
    key = (struct private_key){0};
    return STATUS_OK;
}

/*
 * An unanswered visit keeps its number: the server either has it, and repeats its answer, or takes
 * it now.
 */
static enum status take_host(struct attached *project, const struct enrolment_reply *reply,
                             struct error *err)
{
    struct host_record host = project->host;

    host.host = reply->host;
    host.token = reply->token;
    host.volunteer = reply->volunteer;
    if (host.next_visit < reply->next_visit)
        host.next_visit = reply->next_visit;
    if (project->visit.body != NULL && project->visit.number < host.next_visit)
        host.next_visit = project->visit.number;
    TRY(save_host_record(&project->files, &host, err));
    project->host = host;
    return STATUS_OK;
}

static void on_host(struct daemon *daemon, struct attached *project, enum status status,
                    struct http_response *response, const struct error *how)
{
    struct enrolment_reply reply;
    struct error err = *how;

    if (status == STATUS_OK)
        status = http_check(response, &err);
    if (status == STATUS_OK)
        status = enrolment_reply_decode(buffer_text(&response->body), response->body.length, &reply,
                                        &err);
    if (status == STATUS_OK)
        status = take_host(project, &reply, &err);
    if (status != STATUS_OK) {
        talk_failed(daemon, project, status, &err);
        if (status == STATUS_GONE) /* found out while this instance had no token that counts */
            host_is_cloned(daemon, project);
        return;
    }
    talk_worked(project);
    LOG(LOG_INFO, "host.enrolled", LOG_S("project", project->record.name),
        LOG_N("host", project->host.host));
}

static enum status sign(struct daemon *daemon, const struct attached *project,
                        const struct challenge *challenge, struct enrolment_request *ret_request,
                        struct error *err)
{
    CLEANUP(freep) char *payload = NULL;

    ret_request->enrolment = (struct enrolment){
        .project = project->record.project,
        .key = project->key.public_key,
        .challenge = *challenge,
        .kind = ENROLMENT_NATIVE,
        .time_s = daemon_now_s(daemon),
    };
    ret_request->account = project->record.account;
    payload = enrolment_encode(&ret_request->enrolment);
    envelope_init(&ret_request->statement, ENROLMENT_TYPE, payload, strlen(payload));
    return envelope_sign(&ret_request->statement, &project->key, err);
}

static enum status ask_host(struct daemon *daemon, struct attached *project,
                            const struct challenge *challenge, struct error *err)
{
    CLEANUP(enrolment_request_clear) struct enrolment_request enrolment = {0};
    CLEANUP(freep) char *url = site_url(project, "/v1/hosts");
    struct http_request request = {.method = HTTP_POST,
                                   .url = url,
                                   .ca_pem = project->record.ca_pem,
                                   .max_bytes = ENROLMENT_REPLY_MAX};

    TRY(sign(daemon, project, challenge, &enrolment, err));
    project->talk.body = enrolment_request_encode(&enrolment);
    request.body = (struct http_body){.bytes = project->talk.body,
                                      .length = (int64_t)strlen(project->talk.body)};
    project->talk.done = on_host;
    return lane_start(daemon, &project->talk, &request, err);
}

static void on_challenge(struct daemon *daemon, struct attached *project, enum status status,
                         struct http_response *response, const struct error *how)
{
    struct challenge_reply reply;
    struct error err = *how;

    if (status == STATUS_OK)
        status = http_check(response, &err);
    if (status == STATUS_OK)
        status = challenge_reply_decode(buffer_text(&response->body), response->body.length, &reply,
                                        &err);
    if (status == STATUS_OK)
        status = ask_host(daemon, project, &reply.challenge, &err);
    if (status != STATUS_OK)
        talk_failed(daemon, project, status, &err);
}

static enum status ask_challenge(struct daemon *daemon, struct attached *project, struct error *err)
{
    CLEANUP(freep) char *url = site_url(project, "/v1/challenges");
    struct http_request request = {.method = HTTP_POST,
                                   .url = url,
                                   .ca_pem = project->record.ca_pem,
                                   .body = {.bytes = "{}", .length = 2},
                                   .max_bytes = ENROLMENT_REPLY_MAX};

    if (!contact_is_listed(&project->trust.keyring, project->record.url)) {
        project->wants_contact = true; /* the operator may add it */
        return error_set(err, STATUS_UNTRUSTED,
                         "the project's keyring does not list this site's URL");
    }
    TRY(need_key(daemon, project, err));
    project->talk.done = on_challenge;
    return lane_start(daemon, &project->talk, &request, err);
}

void enrol_start(struct daemon *daemon, struct attached *project)
{
    struct error err = {0};
    enum status status = ask_challenge(daemon, project, &err);

    if (status != STATUS_OK)
        talk_failed(daemon, project, status, &err);
}
