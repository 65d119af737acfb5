#include "client/daemon/own_clock.h"

#include "client/agent/clock.h"
#include "common/base/log.h"
#include "common/base/text.h"

static int64_t off_s(const struct daemon *daemon, const struct attached *project)
{
    int64_t since_ms = daemon_now(daemon) - project->server_heard_at;

    return clock_off_s(project->clock_told_s, daemon_now_s(daemon),
                       project->server_s + since_ms / 1000);
}

static bool is_stale_at(const struct attached *project, int64_t now_s)
{
    return trust_may_start(&project->trust, now_s, NULL) != REFUSAL_NONE;
}

void own_clock_answered(struct daemon *daemon, struct attached *project,
                        const struct scheduler_reply *reply)
{
    bool was_off = project->clock_told_s != 0;
    char words[WHY_MAX + 1];

    project->clock_told_s = reply->clock_off_s;
    project->is_clock_asked = is_stale_at(project, daemon_now_s(daemon));
    own_clock_why(daemon, project, words);
    if (words[0] == '\0')
        project->clock_told_s = 0;
    else if (!was_off)
        LOG(LOG_WARN, "clock.off", LOG_S("project", project->record.name), LOG_S("why", words));
}

void own_clock_why(const struct daemon *daemon, const struct attached *project,
                   char ret_words[WHY_MAX + 1])
{
    clock_words(off_s(daemon, project), ret_words);
}

void own_clock_why_stale(const struct daemon *daemon, const struct attached *project,
                         const struct error *stale, char ret_words[WHY_MAX + 1])
{
    int64_t off = off_s(daemon, project);

    if (off != 0 && !is_stale_at(project, daemon_now_s(daemon) - off))
        clock_words(off, ret_words);
    else
        set_words(ret_words,
                  stale->text[0] != '\0' ? stale->text : "the project's keys are not fresh");
}

static bool is_of_time(enum refusal refusal)
{
    return refusal == REFUSAL_OUTSIDE_VALIDITY || refusal == REFUSAL_KEYRING_EXPIRED ||
           refusal == REFUSAL_STALE_FRESHNESS;
}

void own_clock_blame(const struct daemon *daemon, const struct attached *project,
                     enum refusal refusal, char why[WHY_MAX + 1])
{
    CLEANUP(freep) char *both = NULL;
    char words[WHY_MAX + 1];

    own_clock_why(daemon, project, words);
    if (words[0] == '\0' || !is_of_time(refusal))
        return;
    both = text_format("%s; %s", words, why);
    set_words(why, both);
}

bool own_clock_is_to_be_asked(const struct daemon *daemon, const struct attached *project)
{
    return !project->is_clock_asked && !daemon->is_paused &&
           is_stale_at(project, daemon_now_s(daemon));
}
