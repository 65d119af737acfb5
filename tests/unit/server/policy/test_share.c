/* server/policy/share: work that is left goes to who computes it soon. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/share.h"

/* Hosts alike, so many of `slots` slots: this one has nothing yet. */
static struct share_facts among(int64_t hosts, int64_t slots, int64_t ready, int64_t held)
{
    return (struct share_facts){
        .grid = {.slots = hosts * slots, .weight = share_weight(hosts * slots, 0), .held = held},
        .ready = ready,
        .slots = slots,
        .weight = share_weight(slots, 0),
        .want_s = 7200,
        .next_visit_s = 5};
}

static int64_t taken(const struct share_facts *facts, int64_t want, int64_t task_ms)
{
    struct share share = share_of(facts);
    int64_t count = 0;

    while (count < want && share_take(&share, task_ms))
        count++;
    cr_expect(le(i64, count, share_room(&share) + count));
    return count;
}

/* Measured before: two of five hosts took 44 to 59 of 60 copies within 5 s. */
Test(share, a_small_batch_is_spread_over_all_hosts)
{
    for (int64_t slots = 1; slots <= 4; slots *= 2) {
        int64_t ready = 60, held = 0;

        for (int host = 0; host < 5; host++) {
            struct share_facts facts = among(5, slots, ready, held);
            int64_t got = taken(&facts, 64, 5000);

            cr_expect(eq(i64, got, 12), "host %d of %lld slots", host, (long long)slots);
            ready -= got;
            held += got;
        }
        cr_expect(zero(i64, ready));
    }
}

/* Measured before: two one-core hosts held all 16 copies while 20 hosts idled half an hour. */
Test(share, eight_units_of_a_minute_go_to_sixteen_hosts)
{
    struct share_facts facts = among(22, 1, 16, 0);

    cr_expect(eq(i64, taken(&facts, 64, 60000), 1));
    facts = among(22, 1, 15, 1);
    cr_expect(eq(i64, taken(&facts, 64, 60000), 1));
    facts.held = 1;
    facts.held_ms = 30000;
    cr_expect(zero(i64, taken(&facts, 64, 60000)), "it has its share");
}

Test(share, table)
{
    static const struct {
        const char *what;
        int64_t hosts, slots, ready, grid_held, held, held_ms, want, task_ms, got;
    } cases[] = {
        {"with much work, what is wanted", 5, 4, 100000, 0, 0, 0, 64, 1000, 64},
        {"with much work, its buffer: two hours on four slots", 5, 4, 100000, 0, 0, 0, 64, 3600000,
         8},
        {"a task that fills the buffer", 5, 4, 100000, 0, 0, 0, 64, 36000000, 4},
        {"its buffer, less what it has", 5, 4, 100000, 4, 4, 28800000, 64, 3600000, 0},
        {"nothing is known: what its slots can begin", 5, 4, 30, 0, 0, 0, 64, 0, 4},
        {"little is left: what starts within a minute", 2, 1, 3, 9, 0, 0, 64, 50000, 2},
        {"idle slots are filled whoever else there is", 100, 4, 10, 0, 0, 0, 64, 1000, 4},
        {"but not beyond the share", 100, 4, 10, 0, 4, 1000, 64, 1000, 0},
        {"tasks that others hold count as theirs", 5, 1, 10, 90, 0, 0, 64, 1000, 20},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct share_facts facts =
            among(cases[i].hosts, cases[i].slots, cases[i].ready, cases[i].grid_held);

        facts.held = cases[i].held;
        facts.held_ms = cases[i].held_ms;
        cr_expect(eq(i64, taken(&facts, cases[i].want, cases[i].task_ms), cases[i].got), "%s",
                  cases[i].what);
    }
}

Test(share, a_fast_host_gets_more_of_it)
{
    struct share_facts facts = among(4, 1, 60, 0);

    facts.weight = share_weight(1, 2000);
    facts.grid.weight = share_weight(3, 0) + facts.weight;
    cr_expect(eq(i64, taken(&facts, 64, 1000), 24));
}

Test(share, a_new_host_is_small_whatever_it_says)
{
    cr_expect(eq(i64, share_slots(1024, 0), SHARE_NEW_SLOTS));
    cr_expect(eq(i64, share_slots(1024, 64), 64));
    cr_expect(eq(i64, share_slots(2, 0), 2));
}

Test(share, when_it_will_be_idle_is_known)
{
    struct share_facts facts = among(2, 2, 100, 0);
    struct share share = share_of(&facts);

    cr_expect(zero(i64, share_idle_in_ms(&share)));
    for (int i = 0; i < 4; i++)
        cr_assert(share_take(&share, 10000));
    cr_expect(eq(i64, share_idle_in_ms(&share), 20000));
}
