#include "client/daemon/held.h"

#include "client/agent/talk.h"

struct delay_rule held_rule(const struct daemon *daemon)
{
    return (struct delay_rule){.first_ms = daemon->parts.config->retry_first * 1000,
                               .last_ms = daemon->parts.config->retry_last * 1000};
}

/* Its index; HELD_FILES_MAX: it did not fail. */
static size_t find(const struct attached *project, const struct digest *digest)
{
    size_t i = 0;

    while (i < HELD_FILES_MAX && (project->held_files[i].failures == 0 ||
                                  !digest_equals(&project->held_files[i].digest, digest)))
        i++;
    return i;
}

/* Its entry, or a free one, or that of the file whose turn is next. */
static struct held_file *take(struct attached *project, const struct digest *digest)
{
    size_t found = find(project, digest);
    struct held_file *best = &project->held_files[0];

    if (found < HELD_FILES_MAX)
        return &project->held_files[found];
    for (size_t i = 1; i < HELD_FILES_MAX && best->failures > 0; i++)
        if (project->held_files[i].failures == 0 ||
            project->held_files[i].not_before < best->not_before)
            best = &project->held_files[i];
    *best = (struct held_file){.digest = *digest};
    return best;
}

void held_add(struct daemon *daemon, struct attached *project, const struct digest *digest,
              int64_t told_s)
{
    const struct delay_rule rule = held_rule(daemon);
    struct held_file *held = take(project, digest);

    held->failures++;
    held->not_before =
        daemon_now(daemon) + delay_ms(&rule, held->failures, told_s, daemon_draw(daemon));
}

void held_release(struct attached *project, const struct digest *digest)
{
    size_t found = find(project, digest);

    if (found < HELD_FILES_MAX)
        project->held_files[found].failures = 0;
}

bool held_has(const struct attached *project, const struct digest *digest)
{
    return find(project, digest) < HELD_FILES_MAX;
}

bool held_waits(const struct attached *project, const struct digest *digest, int64_t now)
{
    size_t found = find(project, digest);

    return found < HELD_FILES_MAX && now < project->held_files[found].not_before;
}

int64_t held_wake(const struct attached *project, int64_t now)
{
    int64_t wake = TALK_NEVER;

    for (size_t i = 0; i < HELD_FILES_MAX; i++) {
        const struct held_file *held = &project->held_files[i];

        if (held->failures > 0 && held->not_before > now && held->not_before < wake)
            wake = held->not_before;
    }
    return wake;
}
