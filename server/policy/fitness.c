#include "server/policy/fitness.h"

#include <stddef.h>

bool fitness_wants_probe(const struct fitness_facts *facts, int64_t now_mono_ms)
{
    return facts->is_failing || now_mono_ms - facts->committed_mono_ms >= FITNESS_PROBE_EVERY_MS;
}

const char *fitness_lack(const struct fitness_facts *facts, int64_t now_mono_ms)
{
    if (facts->full_mono_ms > now_mono_ms - FITNESS_FULL_FOR_MS)
        return "the disk of the database is full: what visits report cannot be kept";
    if (facts->is_failing)
        return "the database failed to keep what was to be saved last";
    if (now_mono_ms - facts->committed_mono_ms > FITNESS_COMMIT_MAX_MS)
        return "the database has kept nothing for a long time: its disk, or a lock on it, hangs";
    return NULL;
}
