/* server/policy/rollback: signs that the site went back in time, and when they are enough. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/rollback.h"

#define NOW INT64_C(1700000000)
#define DAY INT64_C(86400)

Test(rollback, a_visit_shows_what_this_site_cannot_have_said)
{
    static const struct {
        const char *what;
        struct rollback_facts facts;
        enum rollback_sign sign;
    } cases[] = {
        {"the next", {.visit = 8, .last_visit = 7}, ROLLBACK_NONE},
        {"after some it gave up", {.visit = 23, .last_visit = 7}, ROLLBACK_NONE},
        {"after more than it gives up", {.visit = 24, .last_visit = 7}, ROLLBACK_VISITS},
        {"a proxy refused all for a day",
         {.now_s = 186400, .last_s = 100000, .visit = 119, .last_visit = 7},
         ROLLBACK_NONE},
        {"more than it can have given up in a day",
         {.now_s = 186400, .last_s = 100000, .visit = 120, .last_visit = 7},
         ROLLBACK_VISITS},
        {"as many as there can be", {.visit = 1000007, .last_visit = 7}, ROLLBACK_VISITS},
        {"more than a client counts up to", {.visit = 1000008, .last_visit = 7}, ROLLBACK_NONE},
        {"a new key of an old installation", {.visit = 900, .last_visit = 0}, ROLLBACK_NONE},
        {"a task", {.visit = 8, .last_visit = 7, .names_unknown_task = true}, ROLLBACK_TASK},
        {"a task of one that enrolled anew",
         {.visit = 900, .names_unknown_task = true},
         ROLLBACK_TASK},
        {"a keyring", {.visit = 8, .last_visit = 7, .refuses_newest = true}, ROLLBACK_SIGNED},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(eq(int, (int)rollback_sign_of(&cases[i].facts), (int)cases[i].sign), "%s",
                  cases[i].what);
}

/* A site that was told restores what hosts know: they may, for as long as they have not been here.
 */
Test(rollback, after_a_restore_that_was_told_hosts_may_know_more)
{
    struct rollback_facts facts = {.now_s = NOW,
                                   .restored_s = NOW - DAY,
                                   .visit = 900,
                                   .last_visit = 7,
                                   .last_s = NOW - 3600,
                                   .names_unknown_task = true};

    cr_expect(eq(int, (int)rollback_sign_of(&facts), ROLLBACK_NONE), "in the first week");
    facts.restored_s = NOW - 8 * DAY;
    cr_expect(eq(int, (int)rollback_sign_of(&facts), ROLLBACK_VISITS));
    facts.last_s = NOW - 9 * DAY;
    cr_expect(eq(int, (int)rollback_sign_of(&facts), ROLLBACK_NONE), "it was away all the time");
    facts.last_visit = 0;
    facts.last_s = NOW;
    cr_expect(eq(int, (int)rollback_sign_of(&facts), ROLLBACK_NONE), "it has enrolled anew");
}

Test(rollback, three_volunteers_within_a_day_are_believed_and_one_never_is)
{
    struct rollback rollback = {0};

    for (int64_t i = 0; i < 100; i++)
        rollback_note(&rollback, 7, i);
    rollback_note(&rollback, 8, 100);
    cr_expect(not(rollback_is_likely(&rollback, 100)));
    rollback_note(&rollback, 9, 99 + DAY);
    cr_expect(not(rollback_is_likely(&rollback, 99 + DAY)), "the first is a day old");
    rollback_note(&rollback, 7, 99 + DAY);
    cr_expect(rollback_is_likely(&rollback, 99 + DAY));
    cr_expect(not(rollback_is_likely(&rollback, 100 + DAY)));
}

Test(rollback, the_newest_signs_are_kept)
{
    struct rollback rollback = {0};

    for (int64_t i = 0; i < 3 * ROLLBACK_HINTS_MAX; i++)
        rollback_note(&rollback, i + 1, i * DAY / 2);
    cr_expect(eq(sz, rollback.count, ROLLBACK_HINTS_MAX));
    for (int64_t i = 0; i < 3; i++)
        rollback_note(&rollback, 1000 + i, 1000 * DAY);
    cr_expect(rollback_is_likely(&rollback, 1000 * DAY));
}

Test(rollback, it_is_said_once_an_hour_while_it_is_likely)
{
    struct rollback rollback = {0};

    cr_expect(not(rollback_say(&rollback, false, 0)));
    for (int64_t i = 1; i <= 3; i++)
        rollback_note(&rollback, i, 10);
    cr_expect(rollback_say(&rollback, false, 10));
    cr_expect(not(rollback_say(&rollback, false, 11)));
    cr_expect(not(rollback_say(&rollback, false, 9 + ROLLBACK_SAY_S)));
    cr_expect(rollback_say(&rollback, false, 10 + ROLLBACK_SAY_S));
    cr_expect(not(rollback_say(&rollback, false, 10 + ROLLBACK_WITHIN_S)),
              "nobody says so any more");
    cr_expect(rollback_say(&rollback, true, 10 + ROLLBACK_WITHIN_S), "but it was kept");
}

Test(rollback, what_was_kept_is_said_at_once_after_a_restart)
{
    struct rollback rollback = {0};

    cr_expect(rollback_say(&rollback, true, 7));
    cr_expect(not(rollback_say(&rollback, true, 8)));
}
