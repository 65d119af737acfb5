#include "operator/places.h"

#include <string.h>

#include "common/base/text.h"
#include "common/http/url.h"

void places_clear(struct places *places)
{
    texts_clear(&places->urls);
    *places = (struct places){0};
}

/* --- the command line --- */

static enum status check_name(const char *name, struct error *err)
{
    size_t length = strlen(name);

    if (length >= 1 && length <= KEYRING_NAME_MAX && text_is_plain(name, length, false))
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "--name is 1 to %d bytes of text without control characters",
                     KEYRING_NAME_MAX);
}

static bool has_url(const struct texts *urls, const char *url)
{
    for (size_t i = 0; i < urls->count; i++)
        if (http_url_is_same_origin(urls->texts[i], url))
            return true;
    return false;
}

static enum status add_url(struct places *places, const char *text, struct error *err)
{
    char url[KEYRING_URL_MAX + 1];
    struct digest project = {0};
    struct error why = {0};

    if (places->urls.count == KEYRING_URLS_MAX)
        return error_set(err, STATUS_TOO_LARGE, "a keyring lists at most %d URLs",
                         KEYRING_URLS_MAX);
    if (link_parse(text, url, sizeof url, &project, &why) != STATUS_OK)
        return error_set(err, STATUS_INVALID, "--url %.100s: %s", text, why.text);
    if (strchr(text, '#') != NULL)
        return error_set(err, STATUS_INVALID,
                         "--url %.100s: a URL here has no '#' and no project's id", text);
    if (has_url(&places->urls, url))
        return error_set(err, STATUS_INVALID, "--url %.100s is given twice", text);
    texts_add(&places->urls, url);
    return STATUS_OK;
}

enum status places_parse(const struct options *options, struct places *ret_places,
                         struct error *err)
{
    CLEANUP(places_clear) struct places places = {.name = options_text(options, "name")};
    const char *url;

    if (places.name != NULL)
        TRY(check_name(places.name, err));
    for (size_t i = 0; (url = options_nth(options, "url", i)) != NULL; i++)
        TRY(add_url(&places, url, err));
    places.has_cas = options_has(options, "tls-ca") || options_has(options, "no-tls-ca");
    if (options_has(options, "tls-ca") && options_has(options, "no-tls-ca"))
        return error_set(err, STATUS_INVALID, "--tls-ca and --no-tls-ca exclude each other");
    if (options_nth(options, "tls-ca", KEYRING_CAS_MAX) != NULL)
        return error_set(err, STATUS_TOO_LARGE, "a keyring lists at most %d CAs", KEYRING_CAS_MAX);
    *ret_places = places;
    places = (struct places){0};
    return STATUS_OK;
}

/* --- files --- */

/* Of a bundle only the first would be listed, and nobody told. */
static bool has_several(const char *pem)
{
    static const char end[] = "CERTIFICATE-----";
    size_t lines = 0;

    for (const char *at = pem; (at = strstr(at, end)) != NULL; at++)
        lines++;
    return lines > 2; /* BEGIN and END */
}

static enum status digest_of_pem(const struct buffer *pem, int64_t now_s, struct digest *ret_ca,
                                 struct error *err)
{
    if (strlen(buffer_text(pem)) != pem->length)
        return error_set(err, STATUS_INVALID, "that is not a certificate in PEM form");
    if (has_several(buffer_text(pem)))
        return error_set(err, STATUS_INVALID,
                         "that holds several certificates: give a file for each CA");
    TRY(http_ca_check(buffer_text(pem), pem->length, now_s, err));
    return http_ca_digest(buffer_text(pem), pem->length, ret_ca, err);
}

static enum status read_ca(struct session *session, const char *path, struct digest *ret_ca,
                           struct error *err)
{
    CLEANUP(buffer_clear) struct buffer pem = {0};
    struct error why = {0};
    enum status status;

    buffer_init(&pem, PROFILE_CA_MAX);
    status = session_read(session, path, &pem, &why);
    if (status != STATUS_OK)
        return error_set(err, status, "--tls-ca %s", why.text);
    status = digest_of_pem(&pem, session->env->now_s(session->env), ret_ca, &why);
    return status == STATUS_OK ? status
                               : error_set(err, status, "--tls-ca %.100s: %s", path, why.text);
}

static bool has_ca(const struct digest *cas, size_t count, const struct digest *ca)
{
    for (size_t i = 0; i < count; i++)
        if (digest_equals(&cas[i], ca))
            return true;
    return false;
}

enum status places_read_cas(const struct options *options, struct session *session,
                            struct places *places, struct error *err)
{
    const char *path;

    for (size_t i = 0; (path = options_nth(options, "tls-ca", i)) != NULL; i++) {
        struct digest ca;

        TRY(read_ca(session, path, &ca, err));
        if (has_ca(places->cas, places->ca_count, &ca)) {
            (void)error_set(err, STATUS_INVALID, "--tls-ca %.100s: this CA is given twice", path);
            error_code(err, SESSION_USAGE);
            return STATUS_INVALID;
        }
        places->cas[places->ca_count++] = ca;
    }
    return STATUS_OK;
}

/* --- the keyring --- */

bool places_are_said(const struct places *places)
{
    return places->name != NULL || places->urls.count > 0 || places->has_cas;
}

void places_apply(const struct places *places, struct keyring *keyring)
{
    if (places->name != NULL)
        (void)text_fit(keyring->project, sizeof keyring->project, places->name);
    if (places->urls.count > 0) {
        texts_clear(&keyring->urls);
        for (size_t i = 0; i < places->urls.count; i++)
            texts_add(&keyring->urls, places->urls.texts[i]);
    }
    if (!places->has_cas)
        return;
    memcpy(keyring->tls_cas, places->cas, sizeof keyring->tls_cas);
    keyring->tls_ca_count = places->ca_count;
}

static bool lists_ca(const struct keyring *keyring, const struct digest *ca)
{
    return has_ca(keyring->tls_cas, keyring->tls_ca_count, ca);
}

bool places_are_same(const struct keyring *a, const struct keyring *b)
{
    if (strcmp(a->project, b->project) != 0 || a->urls.count != b->urls.count ||
        a->tls_ca_count != b->tls_ca_count)
        return false;
    for (size_t i = 0; i < a->urls.count; i++)
        if (!has_url(&b->urls, a->urls.texts[i]))
            return false;
    for (size_t i = 0; i < a->tls_ca_count; i++)
        if (!lists_ca(b, &a->tls_cas[i]))
            return false;
    return true;
}

/* --- words --- */

/* What only `one` lists; how many CAs that are. */
static size_t say_only_in(struct session *session, const struct options *options,
                          const struct keyring *one, const struct keyring *other, const char *word)
{
    size_t count = 0;

    for (size_t i = 0; i < one->urls.count; i++)
        if (!has_url(&other->urls, one->urls.texts[i]))
            session_say(session, options, "  URL %s: %s", word, one->urls.texts[i]);
    for (size_t i = 0; i < one->tls_ca_count; i++) {
        if (lists_ca(other, &one->tls_cas[i]))
            continue;
        session_say(session, options, "  CA %s: %s", word, digest_format(&one->tls_cas[i]).text);
        count++;
    }
    return count;
}

static void warn_of_dropped_cas(const struct profile *profile, const struct options *options,
                                const struct keyring *before, const struct keyring *after)
{
    struct session *session = profile->session;
    struct digest own;

    session_say(session, options,
                "Clients forget a dropped CA when they see this keyring, within minutes. One that "
                "knows no other stops talking to the site until its certificate is of a CA that "
                "is listed, or that every system trusts; meanwhile it computes and keeps what it "
                "has.");
    if (profile->ca_pem == NULL ||
        http_ca_digest(profile->ca_pem, strlen(profile->ca_pem), &own, NULL) != STATUS_OK ||
        lists_ca(after, &own) || !lists_ca(before, &own))
        return;
    session_say(session, options,
                "WARNING: this profile itself reached the site by a CA that is dropped now. If "
                "the site's certificate is still of that CA, no client talks to it any more: give "
                "the site its new certificate, or list the CA again with --tls-ca.");
}

void places_say_change(struct profile *profile, const struct options *options,
                       const struct keyring *before, const struct keyring *after)
{
    struct session *session = profile->session;
    size_t dropped;

    session_say(session, options, "Keyring %lld differs from %lld:", (long long)after->version,
                (long long)before->version);
    if (strcmp(before->project, after->project) != 0)
        session_say(session, options, "  name: \"%s\" is now \"%s\"", before->project,
                    after->project);
    dropped = say_only_in(session, options, before, after, "dropped");
    (void)say_only_in(session, options, after, before, "added");
    if (dropped > 0)
        warn_of_dropped_cas(profile, options, before, after);
    if (has_url(&before->urls, profile->url) && !has_url(&after->urls, profile->url))
        session_say(
            session, options,
            "WARNING: volunteers who reach the project at %s, as this profile does, leave it for a "
            "URL that is listed as soon as they see this keyring. When the site is there, "
            "so does this profile with: dugnad connect %s",
            profile->url, after->urls.texts[0]);
}
