#include "client/daemon/places.h"

#include <string.h>

#include "client/agent/delay.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/http/url.h"

static const struct texts *urls_of(const struct attached *project)
{
    return &project->trust.keyring.urls;
}

bool places_are_several(const struct attached *project)
{
    return urls_of(project)->count > 1;
}

/* SIZE_MAX: it is not listed. */
static size_t find(const struct texts *urls, const char *url)
{
    for (size_t i = 0; i < urls->count; i++)
        if (http_url_is_same_origin(urls->texts[i], url))
            return i;
    return SIZE_MAX;
}

/* Nothing but GET /v1/project is said to it before that has shown the project there. */
static void go_to(struct attached *project, size_t place, const char *why)
{
    struct project_record *record = &project->record;
    struct http_url site;
    const char *listed = urls_of(project)->texts[place];

    project->place = place;
    if (http_url_site(listed, &site, NULL) != STATUS_OK)
        (void)text_fit(site.text, sizeof site.text, listed);
    set_words(record->place_why, why);
    LOG(LOG_WARN, "place.changed", LOG_S("project", record->name), LOG_S("from", record->url),
        LOG_S("to", site.text), LOG_S("why", why));
    (void)text_fit(record->url, sizeof record->url, site.text);
    project->is_place_new = project->wants_contact = true;
    project->is_first_contact = project->is_distrusted = false;
    project->bulletin_etag[0] = '\0';
}

static void save(const struct attached *project)
{
    struct error err = {0};

    if (save_project_record(&project->files, &project->record, &err) != STATUS_OK)
        log_failure(LOG_WARN, "project.not-saved", &err); /* after a restart it is found again */
}

/* What the owner may call it by; a place that is not proven is saved when it is. */
static void note_urls(struct attached *project)
{
    struct known_urls *known = &project->record.known_urls;
    const struct texts *urls = urls_of(project);
    bool is_new = known_urls_note(known, project->record.url);

    for (size_t i = 0; i < urls->count; i++)
        is_new = known_urls_note(known, urls->texts[i]) || is_new;
    if (is_new && !project->is_place_new)
        save(project);
}

void places_settle(struct daemon *daemon, struct attached *project)
{
    const struct texts *urls = urls_of(project);
    size_t place = find(urls, project->record.url);

    if (urls->count == 0 || project->places_of == project->trust.keyring.version)
        return;
    project->places_of = project->trust.keyring.version;
    note_urls(project);
    memset(project->places, 0, sizeof project->places);
    project->place = place;
    if (place != SIZE_MAX)
        return;
    go_to(project, 0, "the project's keyring does not list the place before any more");
    project->failures = 0;
    project->hold_until = daemon_now(daemon);
}

void places_failed(struct daemon *daemon, struct attached *project, const struct error *err)
{
    const struct delay_rule rule = {.first_ms = daemon->parts.config->retry_first * 1000,
                                    .last_ms = daemon->parts.config->retry_last * 1000};
    CLEANUP(freep) char *why = text_format("%s failed: %s", project->record.url, err->text);
    struct place *place = &project->places[project->place];
    int64_t now = daemon_now(daemon);
    size_t next;

    place->failures++;
    place->hold_until =
        now + delay_ms(&rule, place->failures, err->retry_after_s, daemon_draw(daemon));
    next = place_choose(project->places, urls_of(project)->count, project->place, now);
    if (next != project->place)
        go_to(project, next, why);
    project->hold_until =
        project->places[next].hold_until > now ? project->places[next].hold_until : now;
}

void places_worked(struct attached *project)
{
    if (project->place < KEYRING_URLS_MAX)
        project->places[project->place] = (struct place){0};
    if (!project->is_place_new)
        return;
    project->is_place_new = false;
    save(project);
}

bool places_may_be_behind(struct daemon *daemon, const struct attached *project)
{
    return !places_are_several(project) ||
           place_is_last_resort(project->places, urls_of(project)->count, project->place,
                                daemon_now(daemon));
}

void places_compare(struct daemon *daemon, struct attached *project, int64_t keyring_version)
{
    if (keyring_version < project->trust.keyring.version && !places_may_be_behind(daemon, project))
        project->wants_contact = true;
}
