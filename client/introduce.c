/* First contact with a site, for verbs that wait for it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "client/fetch/contact.h"
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "common/http/url.h"
#include "protocol/project.h"

enum status attach_link_parse(const char *text, struct attach_link *ret_link, struct error *err)
{
    const char *hash = strchr(text, '#');
    CLEANUP(freep) char *url = NULL;
    struct attach_link link = {.project = {{0}}};

    url = hash != NULL ? text_copy_n(text, (size_t)(hash - text)) : text_copy(text);
    TRY(http_url_site(url, &link.site, err));
    if (hash != NULL &&
        !base64url_decode(hash + 1, strlen(hash + 1), link.project.bytes, DIGEST_BYTES))
        return error_set(err, STATUS_INVALID,
                         "what follows # is not a project's id of 43 characters; was the link "
                         "copied whole?");
    *ret_link = link;
    return STATUS_OK;
}

void introduction_clear(struct introduction *introduction)
{
    project_record_clear(&introduction->record);
    trust_clear(&introduction->trust);
}

#define ATTEMPTS     5    /* counted, not timed: a slow server uses up seconds, too */
#define TRY_AGAIN_MS 1000 /* doubled each time: after 1, 2, 4 and 8 s */

enum status ask_patiently(struct client_world *world, struct http_client *http,
                          const struct http_request *request, struct http_response *ret_response,
                          struct error *err)
{
    struct env *env = world->env;
    int64_t wait = TRY_AGAIN_MS;

    for (int attempt = 1;; attempt++) {
        struct error own = {0};
        enum status status = http_perform(http, request, ret_response, &own);

        if (status == STATUS_UNREACHABLE && attempt < ATTEMPTS) {
            (void)fprintf(stderr, CLIENT_NAME ": %s; trying again in %" PRId64 " s\n", own.text,
                          wait / 1000);
            env->sleep_ms(env, wait);
            wait *= 2;
            continue;
        }
        if (status != STATUS_OK && err != NULL)
            *err = own;
        return status;
    }
}

/* Verified if the system can; else once with the presented chain, to be judged by the keyring. */
static enum status ask_site(struct client_world *world, struct http_client *http, const char *url,
                            struct http_response *ret_response, bool *ret_first, struct error *err)
{
    struct http_request request = {.url = url, .max_bytes = PROJECT_MAX};
    struct error own = {0};
    enum status status = ask_patiently(world, http, &request, ret_response, &own);

    *ret_first = status == STATUS_UNTRUSTED && own.code != NULL &&
                 strcmp(own.code, "certificate-unknown-ca") == 0;
    if (*ret_first) {
        request.on_first_contact = true;
        status = ask_patiently(world, http, &request, ret_response, &own);
    }
    if (status != STATUS_OK && err != NULL)
        *err = own;
    TRY(status);
    return http_check(ret_response, err);
}

static enum status take_chain(struct client_world *world, const struct http_response *response,
                              struct introduction *it, struct error *err)
{
    const struct keyring *keyring = &it->trust.keyring;
    int64_t now_s = trust_judged_s(&it->trust, world->env->now_s(world->env));

    return http_chain_find_ca(&response->chain, it->record.url, now_s, keyring->tls_cas,
                              keyring->tls_ca_count, &it->record.ca_pem, err);
}

static enum status take_keys(struct client_world *world, const struct project *said,
                             struct introduction *it, struct error *err)
{
    struct contact_refused refused = {0};
    enum refusal refusal = contact_take(&it->trust, &it->record.project, said,
                                        world->env->now_s(world->env), &refused, err);

    if (refusal == REFUSAL_NONE)
        return STATUS_OK;
    if (refusal == REFUSAL_OTHER_PROJECT)
        return error_set(err, STATUS_UNTRUSTED,
                         "the site shows another project than the one that the link names");
    if (said->keyrings.count == 0)
        return STATUS_NOT_FOUND;
    err->status = STATUS_UNTRUSTED;
    if (err->text[0] == '\0')
        (void)error_set(err, STATUS_UNTRUSTED, "%s", refusal_words(refusal));
    return STATUS_UNTRUSTED;
}

static enum status take_project(struct client_world *world, const struct attach_link *link,
                                const struct project *said, struct introduction *it,
                                struct error *err)
{
    it->is_pinned = !digest_is_none(&link->project);
    it->record.project = it->is_pinned ? link->project : said->project;
    it->record.attached_s = world->env->now_s(world->env);
    (void)text_fit(it->record.url, sizeof it->record.url, link->site.text);
    (void)text_fit(it->record.name, sizeof it->record.name, said->name);
    if (!project_speaks(said, PROTOCOL_VERSION))
        return error_set(err, STATUS_INVALID, "the site speaks no protocol that this client does");
    if (digest_is_none(&it->record.project))
        return error_set(err, STATUS_NOT_FOUND, "nobody has published a keyring at this site yet");
    return take_keys(world, said, it, err);
}

static enum status meet(struct client_world *world, struct http_client *http,
                        const struct attach_link *link, struct introduction *ret_introduction,
                        struct error *err)
{
    CLEANUP(introduction_clear) struct introduction it = {.is_pinned = false};
    CLEANUP(http_response_clear) struct http_response response = {0};
    CLEANUP(project_clear) struct project said = {0};
    CLEANUP(freep) char *url = text_format("%s/v1/project", link->site.text);
    bool is_first = false;

    TRY(ask_site(world, http, url, &response, &is_first, err));
    TRY(project_decode(buffer_text(&response.body), response.body.length, &said, err));
    TRY(take_project(world, link, &said, &it, err));
    if (is_first)
        TRY(take_chain(world, &response, &it, err));
    *ret_introduction = it;
    it = (struct introduction){.is_pinned = false};
    return STATUS_OK;
}

/* It must know no less of the project than the place that named it. */
static enum status meet_at(struct client_world *world, struct http_client *http, const char *url,
                           const struct introduction *old, struct introduction *ret_it,
                           struct error *err)
{
    CLEANUP(introduction_clear) struct introduction it = {.is_pinned = false};
    struct attach_link link = {.project = old->record.project};

    TRY(http_url_site(url, &link.site, err));
    TRY(meet(world, http, &link, &it, err));
    it.is_pinned = old->is_pinned;
    if (it.trust.keyring.version < old->trust.keyring.version ||
        !contact_is_listed(&it.trust.keyring, it.record.url))
        return error_set(err, STATUS_UNTRUSTED, "%s does not know the project's newest keyring",
                         it.record.url);
    *ret_it = it;
    it = (struct introduction){.is_pinned = false};
    return STATUS_OK;
}

/* An old link leads to a place that the keyring does not list any more: tokens go only to those. */
static enum status follow(struct client_world *world, struct http_client *http,
                          struct introduction *it, struct error *err)
{
    const struct texts *urls = &it->trust.keyring.urls;
    struct introduction there = {.is_pinned = false};
    enum status status = error_set(err, STATUS_UNTRUSTED, "the project's keyring lists no URL");

    if (contact_is_listed(&it->trust.keyring, it->record.url))
        return STATUS_OK;
    for (size_t i = 0; i < urls->count && status != STATUS_OK; i++)
        status = meet_at(world, http, urls->texts[i], it, &there, err);
    if (status != STATUS_OK)
        return status;
    (void)fprintf(stderr, CLIENT_NAME ": the project has moved from %s to %s\n", it->record.url,
                  there.record.url);
    introduction_clear(it);
    *it = there;
    return STATUS_OK;
}

enum status introduce(struct client_world *world, struct http_client *http,
                      const struct attach_link *link, struct introduction *ret_introduction,
                      struct error *err)
{
    CLEANUP(introduction_clear) struct introduction it = {.is_pinned = false};

    TRY(meet(world, http, link, &it, err));
    TRY(follow(world, http, &it, err));
    *ret_introduction = it;
    it = (struct introduction){.is_pinned = false};
    return STATUS_OK;
}
