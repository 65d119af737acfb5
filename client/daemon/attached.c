#include "client/daemon/attached.h"

#include <string.h>

#include "common/base/log.h"
#include "common/base/text.h"

#define ENVELOPES_MAX SCHEDULER_HAVE_MAX /* of both kinds together, unless more are in use */

uint64_t daemon_draw(struct daemon *daemon)
{
    uint64_t bits;

    daemon->env->random(daemon->env, &bits, sizeof bits);
    return bits;
}

int64_t daemon_now(const struct daemon *daemon)
{
    return daemon->env->now_mono_ms(daemon->env);
}

int64_t daemon_now_s(const struct daemon *daemon)
{
    return daemon->env->now_s(daemon->env);
}

void set_words(char ret_words[WHY_MAX + 1], const char *text)
{
    size_t length = strnlen(text, WHY_MAX);

    /* Never half a character. */
    while (text[length] != '\0' && length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    memmove(ret_words, text, length);
    ret_words[length] = '\0';
    text_sanitise(ret_words, length);
    for (char *c = ret_words; *c != '\0'; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
}

struct attached *daemon_find(const struct daemon *daemon, const struct digest *project)
{
    for (size_t i = 0; i < daemon->project_count; i++)
        if (digest_equals(&daemon->projects[i]->record.project, project))
            return daemon->projects[i];
    return NULL;
}

const struct envelope *attached_envelope(const struct attached *project,
                                         const struct digest *digest)
{
    for (size_t i = 0; i < project->envelope_count; i++)
        if (digest_equals(&project->envelopes[i].digest, digest))
            return &project->envelopes[i];
    return NULL;
}

/* What the envelope says may be believed: its digest is of the payload. So may its app's name,
 * which decides whose signature counts; whether the app itself holds is another question. */
static bool variant_holds(const struct attached *project, const struct envelope *envelope,
                          const struct trust_moment *moment)
{
    CLEANUP(variant_clear) struct variant variant = {0}, checked = {0};
    CLEANUP(app_version_clear) struct app_version app = {0};
    const struct envelope *of;
    struct checked_app it;

    if (variant_decode(envelope->payload, envelope->payload_length, &variant, NULL) != STATUS_OK)
        return false;
    of = attached_envelope(project, &variant.app_version);
    if (of == NULL || app_version_decode(of->payload, of->payload_length, &app, NULL) != STATUS_OK)
        return false;
    it = (struct checked_app){.digest = of->digest, .app = &app};
    return trust_check_variant(&project->trust, envelope, &it, moment, &checked, NULL) ==
           REFUSAL_NONE;
}

bool attached_envelope_holds(const struct attached *project, const struct envelope *envelope,
                             int64_t now_s)
{
    const struct trust_moment moment = {.purpose = TRUST_KEEP, .now_s = now_s};
    CLEANUP(app_version_clear) struct app_version app = {0};

    if (strcmp(envelope->type, APP_VERSION_TYPE) != 0)
        return variant_holds(project, envelope, &moment);
    return trust_check_app_version(&project->trust, envelope, &moment, &app, NULL) == REFUSAL_NONE;
}

bool reply_grants(const struct scheduler_reply *reply, const struct digest *digest)
{
    for (size_t i = 0; reply != NULL && i < reply->grant_count; i++)
        if (digest_equals(&reply->grants[i].app_version, digest) ||
            digest_equals(&reply->grants[i].variant, digest))
            return true;
    return false;
}

static bool is_in_use(const struct attached *project, const struct scheduler_reply *reply,
                      const struct digest *digest)
{
    for (size_t i = 0; i < project->task_count; i++) {
        const struct task_record *record = &project->tasks[i]->record;

        if (phase_is_unfinished(record->phase) && (digest_equals(&record->app_version, digest) ||
                                                   digest_equals(&record->variant, digest)))
            return true;
    }
    return reply_grants(reply, digest);
}

/* The first unused one, for they are in the order in which they came. */
static void forget_one(struct attached *project, const struct scheduler_reply *reply)
{
    struct error err = {0};

    for (size_t i = 0; i < project->envelope_count; i++) {
        struct envelope *envelope = &project->envelopes[i];

        if (is_in_use(project, reply, &envelope->digest))
            continue;
        if (remove_envelope(&project->files, &envelope->digest, &err) != STATUS_OK)
            log_failure(LOG_WARN, "envelope.not-removed", &err); /* it is loaded next time */
        envelope_clear(envelope);
        project->envelope_count--;
        memmove(envelope, envelope + 1, (project->envelope_count - i) * sizeof *envelope);
        return;
    }
}

void attached_keep_envelope(struct attached *project, struct envelope *envelope,
                            const struct scheduler_reply *reply)
{
    struct envelope *grown;

    for (size_t i = 0; i < project->envelope_count; i++) {
        if (!digest_equals(&project->envelopes[i].digest, &envelope->digest))
            continue;
        envelope_clear(&project->envelopes[i]);
        project->envelopes[i] = *envelope;
        *envelope = (struct envelope){0};
        return;
    }
    if (project->envelope_count >= ENVELOPES_MAX)
        forget_one(project, reply);
    grown = realloc(project->envelopes, (project->envelope_count + 1) * sizeof *grown);
    if (grown == NULL)
        abort();
    project->envelopes = grown;
    project->envelopes[project->envelope_count++] = *envelope;
    *envelope = (struct envelope){0};
}

int64_t attached_unfinished(const struct attached *project)
{
    int64_t count = 0;

    for (size_t i = 0; i < project->task_count; i++)
        count += phase_is_unfinished(project->tasks[i]->record.phase) ? 1 : 0;
    return count;
}

int64_t attached_open(const struct attached *project)
{
    int64_t count = 0;

    for (size_t i = 0; i < project->task_count; i++)
        count += project->tasks[i]->record.phase != PHASE_STORED ? 1 : 0;
    return count;
}

bool attached_may_have_token(const struct attached *project)
{
    return project->host.host != 0 && !project->is_first_contact && !project->is_place_new &&
           !digest_is_none(&project->trust.project);
}

int64_t daemon_memory(const struct daemon *daemon)
{
    int64_t allowed = daemon->parts.launcher->memory_bytes(daemon->parts.launcher);

    return allowed < daemon->parts.config->memory ? allowed : daemon->parts.config->memory;
}

bool attached_is_fetching(const struct attached *project)
{
    for (size_t i = 0; i < project->task_count; i++)
        if (project->tasks[i]->record.phase == PHASE_FETCHING)
            return true;
    return false;
}
