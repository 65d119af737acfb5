/* server/policy/fitness: 200 only while visits can be committed. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/fitness.h"

#define NEVER INT64_MIN

static bool is_fit(int64_t committed, bool is_failing, int64_t full, int64_t now)
{
    struct fitness_facts facts = {
        .committed_mono_ms = committed, .is_failing = is_failing, .full_mono_ms = full};

    return fitness_lack(&facts, now) == NULL;
}

Test(fitness, a_recent_commit_is_enough)
{
    cr_expect(is_fit(1000, false, NEVER, 1000));
    cr_expect(is_fit(1000, false, NEVER, 1000 + FITNESS_COMMIT_MAX_MS));
}

Test(fitness, a_database_that_hangs_is_noticed_by_the_age_of_its_last_commit)
{
    cr_expect(not(is_fit(1000, false, NEVER, 1001 + FITNESS_COMMIT_MAX_MS)));
    cr_expect(lt(i64, FITNESS_PROBE_EVERY_MS * 2, FITNESS_COMMIT_MAX_MS), "an idle one is fit");
}

Test(fitness, a_failure_counts_until_a_commit_follows)
{
    cr_expect(not(is_fit(1000, true, NEVER, 1001)));
    cr_expect(is_fit(1002, false, NEVER, 1002));
}

Test(fitness, a_full_disk_counts_for_longer_than_a_small_commit_takes)
{
    cr_expect(not(is_fit(1002, false, 1001, 1002)));
    cr_expect(not(is_fit(1000 + FITNESS_FULL_FOR_MS, false, 1001, 1000 + FITNESS_FULL_FOR_MS)));
    cr_expect(is_fit(1002 + FITNESS_FULL_FOR_MS, false, 1001, 1002 + FITNESS_FULL_FOR_MS));
}

Test(fitness, it_is_proved_in_time_and_at_once_after_a_failure)
{
    struct fitness_facts facts = {.committed_mono_ms = 1000, .full_mono_ms = NEVER};

    cr_expect(not(fitness_wants_probe(&facts, 999 + FITNESS_PROBE_EVERY_MS)));
    cr_expect(fitness_wants_probe(&facts, 1000 + FITNESS_PROBE_EVERY_MS));
    facts.is_failing = true;
    cr_expect(fitness_wants_probe(&facts, 1002));
}
