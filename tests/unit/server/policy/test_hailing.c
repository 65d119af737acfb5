/* server/policy/hailing: when hosts without work are told to come. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "protocol/bulletin.h"
#include "server/policy/hailing.h"

#define DAY 86400

static struct hailing hailing;

static struct hailing_facts at(int64_t up_s)
{
    return (struct hailing_facts){.up_s = DAY + up_s, .waiting = 5, .may_issue = true};
}

static bool look(int64_t up_s)
{
    const struct hailing_facts facts = at(up_s);

    return hailing_look(&hailing, &facts);
}

static void news(int64_t up_s)
{
    hailing_news(&hailing, DAY + up_s, false);
}

/* Work waited at the start, which is told at once. */
static void set_up(void)
{
    hailing = (struct hailing){.mark = 7};
    cr_assert(look(-100));
}

TestSuite(hailing, .init = set_up);

Test(hailing, begins_with_what_waits_at_the_start)
{
    cr_expect(eq(i64, hailing.mark, 8));
    cr_expect(not(look(0)), "and says nothing more without news");
    cr_expect(eq(i64, hailing.mark, 8));
}

Test(hailing, tells_the_first_news_at_once_and_later_ones_together)
{
    news(0);
    cr_expect(look(0));
    for (int64_t s = 1; s < HAILING_LEAST_S; s++) {
        news(s);
        cr_expect(not(look(s)), "after %lld s", (long long)s);
    }
    cr_expect(look(HAILING_LEAST_S));
    cr_expect(not(look(3 * HAILING_LEAST_S)));
    cr_expect(eq(i64, hailing.mark, 10));
}

Test(hailing, does_not_tell_of_what_was_handed_out_meanwhile)
{
    struct hailing_facts facts = at(0);

    news(0);
    facts.waiting = 0;
    cr_expect(not(hailing_look(&hailing, &facts)));
    cr_expect(not(look(1)), "it was no news");
}

Test(hailing, waits_while_the_site_sends_nothing_and_tells_when_it_does)
{
    struct hailing_facts facts = at(0);

    facts.may_issue = false;
    news(0);
    cr_expect(not(hailing_look(&hailing, &facts)));
    cr_expect(look(1));
    cr_expect(not(hailing_look(&hailing, &facts)));
    cr_expect(look(1 + HAILING_LEAST_S), "what waits is news again");
}

Test(hailing, leaves_news_of_another_server_to_that_one_while_it_lives)
{
    struct hailing_facts facts = at(2);

    hailing_news(&hailing, DAY, true);
    cr_expect(not(look(1)));
    cr_expect(hailing_hear(&hailing, 12, &facts));
    cr_expect(not(look(HAILING_OTHERS_S)), "it has told");
    cr_expect(not(hailing_hear(&hailing, 11, &facts)), "marks only rise");
    cr_expect(eq(i64, hailing.mark, 12));
    hailing_news(&hailing, DAY + 100, true);
    cr_expect(not(look(100 + HAILING_OTHERS_S - 1)));
    cr_expect(look(100 + HAILING_OTHERS_S));
    cr_expect(eq(i64, hailing.mark, 13));
}

Test(hailing, spreads_hosts_over_what_the_server_can_take_and_no_more)
{
    static const struct {
        int64_t idle, known_for_s, within_s;
    } cases[] = {
        {0, DAY, HAILING_WITHIN_LEAST_S},        {1000, DAY, 1000 / HAILING_VISITS_A_S},
        {1000000, DAY, BULLETIN_WITHIN_MOST_S},  {0, 60, HAILING_UNKNOWN_S},
        {50000, 60, 50000 / HAILING_VISITS_A_S},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hailing_facts facts = at(0);

        hailing = (struct hailing){.mark = 7, .could_issue = true};
        facts.idle_hosts = cases[i].idle;
        facts.up_since_s = facts.up_s - cases[i].known_for_s;
        news(0);
        cr_expect(hailing_look(&hailing, &facts), "case %zu", i);
        cr_expect(eq(i64, hailing.within_s, cases[i].within_s), "case %zu", i);
        news(1);
        facts.up_s += cases[i].within_s - 1;
        cr_expect(not(hailing_look(&hailing, &facts)), "not before those called have come");
    }
}
