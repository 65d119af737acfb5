#include "client/daemon/refused.h"

#include <string.h>

#include "common/base/log.h"

static bool is_same(const struct refused_thing *a, const struct refused_thing *b)
{
    return a->what == b->what && a->refusal == b->refusal && digest_equals(&a->digest, &b->digest);
}

static struct told_refusal *find(struct attached *project, const struct refused_thing *thing)
{
    for (size_t i = 0; i < project->refused_count; i++)
        if (is_same(&project->refused[i].thing, thing))
            return &project->refused[i];
    return NULL;
}

/* The one told first leaves. False: none was told yet, so that what came first is told first. */
static bool make_room(struct attached *project)
{
    struct told_refusal *list = project->refused;

    if (project->refused_count < SCHEDULER_REFUSED_MAX)
        return true;
    for (size_t i = 0; i < project->refused_count; i++) {
        if (!list[i].is_told)
            continue;
        project->refused_count--;
        memmove(&list[i], &list[i + 1], (project->refused_count - i) * sizeof *list);
        return true;
    }
    return false;
}

void refused_note(struct attached *project, enum refused_kind what, enum refusal refusal,
                  const char *json)
{
    struct refused_thing thing = {
        .what = what, .refusal = refusal, .digest = refused_identity(json)};

    if (find(project, &thing) != NULL || !make_room(project))
        return;
    project->refused[project->refused_count++] = (struct told_refusal){.thing = thing};
    LOG(LOG_WARN, "offer.refused", LOG_S("project", project->record.name),
        LOG_S("what", refused_kind_name(what)), LOG_S("refusal", refusal_code(refusal)),
        LOG_S("digest", digest_format(&thing.digest).text));
}

bool refused_is_to_be_told(const struct attached *project)
{
    bool has_untold = false;

    for (size_t i = 0; i < project->refused_count; i++)
        has_untold = has_untold || !project->refused[i].is_told;
    return has_untold && attached_may_have_token(project);
}

void refused_add(const struct attached *project, struct scheduler_request *request)
{
    for (size_t i = 0; i < project->refused_count; i++)
        if (!project->refused[i].is_told)
            request->refused[request->refused_count++] = project->refused[i].thing;
}

void refused_answered(struct attached *project, const struct scheduler_request *asked)
{
    for (size_t i = 0; i < asked->refused_count; i++) {
        struct told_refusal *known = find(project, &asked->refused[i]);

        if (known != NULL)
            known->is_told = true;
    }
}

enum refusal refused_why(const struct attached *project, const struct digest *digest)
{
    for (size_t i = 0; i < project->refused_count; i++)
        if (digest_equals(&project->refused[i].thing.digest, digest))
            return project->refused[i].thing.refusal;
    return REFUSAL_NONE;
}
