/* server/api/waiting: an operator is told what a batch waits for. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "server/api/waiting.h"

static struct batch_view batch;
static struct unit unit;
static struct waiting_facts facts;
static struct standing standing;
static struct texts sentences;

static void set_up(void)
{
    batch = (struct batch_view){.row = {.state = BATCH_CLOSED, .is_closed = true, .units = 5},
                                .waiting = 5};
    unit = (struct unit){
        .state = UNIT_OPEN,
        .rule = {.quorum = 2, .copies = 2, .max_tasks = 10, .independence = INDEPENDENCE_VOLUNTEER},
        .copies_wanted = 2};
    facts = (struct waiting_facts){.now_s = 1000,
                                   .supply = {.hosts = 3, .volunteers = 2, .organisations = 2},
                                   .has_freshness = true,
                                   .why_stopped = "",
                                   .why_no_uploads = "",
                                   .clock_doubt = ""};
    standing = (struct standing){.looked_at = 5};
    sentences = (struct texts){0};
}

static void tear_down(void)
{
    texts_clear(&sentences);
}

TestSuite(waiting, .init = set_up, .fini = tear_down);

static bool says(const char *part)
{
    for (size_t i = 0; i < sentences.count; i++)
        if (strstr(sentences.texts[i], part) != NULL)
            return true;
    return false;
}

Test(waiting, too_few_volunteers_are_named_with_how_many_there_are)
{
    facts.supply.volunteers = 1;
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("needs 2 independent volunteers; 1 enrolled"));
    cr_expect(says("5 units wait for a host to ask"));
}

Test(waiting, units_that_everybody_tried_wait_for_others)
{
    standing = (struct standing){.looked_at = 5, .tried = 2};
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("2 of the 5 open units looked at were tried by all 2 volunteers"));
    cr_expect(says("3 units wait for a host to ask"));
    unit.task_count = 2;
    unit.copies_wanted = 1;
    unit.tasks[0].at_dispatch.volunteer = 1;
    unit.tasks[1].at_dispatch.volunteer = 2;
    waiting_of_unit(&unit, &facts, &sentences);
    cr_expect(says("all 2 volunteers of the last day had a copy of it"));
    cr_expect(not(says("copy waits for a host")));
}

Test(waiting, used_up_allowances_are_said_with_how_many)
{
    facts.supply.spent = 2;
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("2 of 3 hosts may have no more copies of this app today"));
}

Test(waiting, copies_that_keep_differing_are_said_with_numbers_and_causes)
{
    standing = (struct standing){.looked_at = 5, .differing = 3, .most_copies = 9};
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("3 units have copies that all differ, one of them 9 of 9"));
    cr_expect(says("DUGNAD_SEED"));
    unit.task_count = 3;
    for (size_t i = 0; i < 3; i++)
        unit.tasks[i].result.bytes[0] = (uint8_t)(i + 1);
    waiting_of_unit(&unit, &facts, &sentences);
    cr_expect(says("1 unit has copies that all differ, one of them 3 of 3"));
    texts_clear(&sentences);
    unit.tasks[2].result.bytes[0] = 1;
    waiting_of_unit(&unit, &facts, &sentences);
    cr_expect(not(says("differ")));
}

Test(waiting, units_whose_key_was_revoked_are_said_with_what_to_do)
{
    facts.signatures =
        (struct signatures){.units = REFUSAL_REVOKED_KEY, .unsigned_units = 3, .builds = 1};
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("3 units wait that no client takes: the key that signed it was revoked; "));
    cr_expect(says("submitted again, under another name"));
    cr_expect(says("2 units wait for a host to ask"));
    texts_clear(&sentences);
    facts.signatures.unsigned_units = 1;
    waiting_of_unit(&unit, &facts, &sentences);
    cr_expect(says("no client takes it: the key that signed it was revoked; "));
    cr_expect(not(says("for a host to ask")));
}

Test(waiting, an_app_whose_key_was_revoked_is_said_with_what_to_do)
{
    facts.signatures = (struct signatures){.app = REFUSAL_REVOKED_KEY, .builds = 1};
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("clients refuse its app: the key that signed it was revoked; dugnad app add"));
    cr_expect(says("5 units wait for that signature"));
    texts_clear(&sentences);
    facts.signatures = (struct signatures){.builds = 2, .unsigned_builds = 1};
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("clients refuse 1 of the 2 builds of its app"));
    cr_expect(says("5 units wait for a host to ask"));
    texts_clear(&sentences);
    facts.signatures.unsigned_builds = 2;
    waiting_of_unit(&unit, &facts, &sentences);
    cr_expect(says("2 more copies wait for that signature"));
}

Test(waiting, what_hosts_refused_of_the_site_is_said_with_its_digest)
{
    facts.refused[0] = (struct refused_group){
        .thing = {.what = REFUSED_KEYRING, .refusal = REFUSAL_KEYRING_ROLLBACK}, .hosts = 2};
    facts.refused[0].thing.digest.bytes[0] = 1;
    facts.refused_count = 1;
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("2 hosts said in the last day that they refused the keyring sha256:0100"));
    cr_expect(says("the keyring is older than the one known; see dugnad hosts"));
}

/* It was said only where no freshness had ever been published. */
Test(waiting, a_freshness_that_ran_out_is_said_with_what_to_do)
{
    facts.signatures.start = REFUSAL_STALE_FRESHNESS;
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("clients start nothing"));
    cr_expect(says("dugnad key publish renews it"));
}

Test(waiting, an_output_that_is_not_taken_is_said_with_why)
{
    batch.agreed = 2;
    facts.why_no_uploads = "less than 5 % of the disk is free";
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("2 agreed units wait for the output to be delivered, and no output is taken: "
                   "less than 5 %"));
    unit.state = UNIT_AGREED;
    waiting_of_unit(&unit, &facts, &sentences);
    cr_expect(says("and none is taken: less than 5 %"));
}

Test(waiting, a_doubt_about_the_clock_is_said_with_what_to_do)
{
    facts.clock_doubt = "the wall clock jumped";
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("the wall clock jumped; dugnad clock confirm"));
}

Test(waiting, enough_of_everything_leaves_only_the_counts)
{
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(eq(sz, sentences.count, 1));
    cr_expect(says("5 units wait for a host to ask"));
}

Test(waiting, what_stops_all_work_is_said)
{
    facts.supply = (struct supply){0};
    facts.has_freshness = false;
    facts.why_stopped = "less than 10 % of the disk is free";
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("nothing is sent: less than 10 %"));
    cr_expect(says("freshness"));
    cr_expect(says("no host that can run this app"));
}

Test(waiting, a_held_and_a_paused_batch_say_how_to_go_on)
{
    batch.row.state = BATCH_HELD;
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("dugnad release"));
    texts_clear(&sentences);
    batch.row.state = BATCH_PAUSED;
    batch.row.why = (char *)"paused itself: 20 of 22 tasks failed";
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("it paused itself: 20 of 22 tasks failed"));
}

Test(waiting, what_ended_waits_for_nothing)
{
    batch.row.state = BATCH_FINISHED;
    waiting_of_batch(&batch, NULL, &standing, &facts, &sentences);
    unit.state = UNIT_ACCEPTED;
    waiting_of_unit(&unit, &facts, &sentences);
    cr_expect(zero(sz, sentences.count));
}

Test(waiting, a_unit_tells_of_its_tasks)
{
    unit.task_count = 2;
    unit.tasks[0].state = TASK_SENT;
    unit.tasks[1].state = TASK_REPORTED;
    unit.copies_wanted = 1;
    waiting_of_unit(&unit, &facts, &sentences);
    cr_expect(says("1 more copy waits for a host to ask"));
    cr_expect(says("1 task is being computed"));
    texts_clear(&sentences);
    unit.state = UNIT_AGREED;
    waiting_of_unit(&unit, &facts, &sentences);
    cr_expect(says("deliver the output"));
}

/* Regression: they waited "for a host to ask", where none that asks could take them. */
Test(waiting, units_that_no_known_host_can_run_wait_for_another_kind_of_host)
{
    facts.supply = (struct supply){0};
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("5 units wait for a host that can run the app"));
    cr_expect(not(says("for a host to ask")));
    cr_expect(says("of a platform that it has files for"));
    texts_clear(&sentences);
    waiting_of_unit(&unit, &facts, &sentences);
    cr_expect(says("2 more copies wait for a host that can run the app"));
    cr_expect(not(says("for a host to ask")));
}

/* Regression: they waited "for a host to ask". */
Test(waiting, outputs_that_the_site_takes_no_more_are_named_with_both_numbers)
{
    facts.output = (struct file_name){"fold.pdb"};
    facts.output_bytes = 67108864;
    facts.upload_max_bytes = 1048576;
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("output fold.pdb may have up to 67108864 bytes, and this site takes up to "
                   "1048576 (upload_max)"));
    cr_expect(says("wait for a larger upload_max"));
    texts_clear(&sentences);
    unit.state = UNIT_AGREED;
    waiting_of_unit(&unit, &facts, &sentences);
    cr_expect(says("1048576 (upload_max)"));
}

/* Regression: they waited "for a host to ask", whatever they needed. */
Test(waiting, what_no_host_offers_is_named_with_what_is_needed_and_the_most_there_is)
{
    const struct offers enough = {.needs_cores = 2,
                                  .needs_memory_bytes = INT64_C(3) << 30,
                                  .needs_disk_bytes = (INT64_C(5) << 30) + 1,
                                  .hosts = 3,
                                  .cores = 4,
                                  .memory_bytes = INT64_C(8) << 30,
                                  .disk_bytes = INT64_C(9) << 30,
                                  .fitting = 1};

    facts.offers = enough;
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("5 units wait for a host to ask"));
    cr_expect(not(says("offers")));
    facts.offers.fitting = 0;
    waiting_of_batch(&batch, &unit, &standing, &facts, &sentences);
    cr_expect(says("none of the 3 hosts of the last day offers at once the 3072 MiB of memory, the "
                   "5121 MiB of disk"));
    cr_expect(says("5 units wait for a host that can run the app"));
    texts_clear(&sentences);
    facts.offers.memory_bytes = (INT64_C(2) << 30) - 1;
    facts.offers.disk_bytes = INT64_C(5) << 30;
    facts.offers.layer = (struct word){"landlock"};
    facts.offers.cores = 1;
    waiting_of_unit(&unit, &facts, &sentences);
    cr_expect(says("a copy needs 3072 MiB of memory, and the most that any host of the last day "
                   "offers is 2047 MiB"));
    cr_expect(says("a copy needs 5121 MiB of disk, and the most that any host of the last day "
                   "offers is 5120 MiB"));
    cr_expect(says("the isolation layer landlock, which none of the 3 hosts"));
    cr_expect(says("may use 2 cores, and the most that any host of the last day offers is 1"));
    cr_expect(says("copies wait for a host that can run the app"));
    cr_expect(not(says("at once")));
}
