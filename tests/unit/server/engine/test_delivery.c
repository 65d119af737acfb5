/* server/engine: digest first. An agreement is accepted only when its bodies are here. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/support/village.h"

static struct village village;
static size_t ann, bob, eve;
static int64_t anns, bobs;

static enum status report(size_t host, int64_t task, struct scheduler_reply *ret_reply)
{
    struct village_visit visit;

    village_visit_begin(&village, &visit, host);
    village_visit_done(&village, &visit, task, "large\n", false);
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    *ret_reply = visit.reply;
    visit.reply = (struct scheduler_reply){0};
    village_visit_clear(&visit);
    return STATUS_OK;
}

/* A visit that only holds the finished task: is its body wanted, is it to be dropped? */
static void ask(size_t host, int64_t task, size_t *ret_uploads, enum drop_reason *ret_drop)
{
    struct village_visit visit;

    village_visit_begin(&village, &visit, host);
    village_visit_hold(&visit, task);
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    *ret_uploads = visit.reply.upload_count;
    *ret_drop = visit.reply.drop_count > 0 ? visit.reply.drops[0].why : 0;
    village_visit_clear(&visit);
}

static size_t uploads_of(size_t host, int64_t task)
{
    size_t uploads;
    enum drop_reason drop;

    ask(host, task, &uploads, &drop);
    return uploads;
}

static enum drop_reason drop_of(size_t host, int64_t task)
{
    size_t uploads;
    enum drop_reason drop;

    ask(host, task, &uploads, &drop);
    return drop;
}

static enum status upload(size_t host, int64_t task, const char *body)
{
    struct command may = {.kind = COMMAND_MAY_UPLOAD,
                          .may_upload = {.host = village.hosts[host].id,
                                         .task = task,
                                         .name = "out",
                                         .size_bytes = (int64_t)strlen(body)}};
    struct command done = {.kind = COMMAND_UPLOADED,
                           .uploaded = {.host = village.hosts[host].id,
                                        .task = task,
                                        .name = "out",
                                        .digest = digest_of(body, strlen(body)),
                                        .size_bytes = (int64_t)strlen(body)}};

    TRY(village_run(&village, &may));
    return village_run(&village, &done);
}

static bool is_on_disk;

static bool has_file(void *context, const struct digest *digest)
{
    (void)context;
    (void)digest;
    return is_on_disk;
}

static void set_up(void)
{
    struct engine_config config = ENGINE_CONFIG_DEFAULT;
    struct scheduler_reply reply;

    config.ignores_free_space = true;
    config.enrolments_per_hour = 1000;
    config.has_file = has_file;
    is_on_disk = true;
    village_open(&village, &config);
    ann = village_join(&village);
    bob = village_join(&village);
    eve = village_join(&village);
    village_add_units(&village, 1, NULL);
    anns = village_get(&village, ann);
    bobs = village_get(&village, bob);
    cr_assert(anns != 0 && bobs != 0);
    cr_assert(eq(int, report(ann, anns, &reply), STATUS_OK));
    cr_expect(eq(int, reply.acks[0].state, ACK_REPORTED), "keep the body");
    cr_expect(eq(sz, reply.upload_count, 0), "nothing is agreed");
    scheduler_reply_clear(&reply);
    cr_assert(eq(int, report(bob, bobs, &reply), STATUS_OK));
    cr_expect(eq(int, reply.acks[0].state, ACK_REPORTED), "keep the body");
    scheduler_reply_clear(&reply);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(delivery, .init = set_up, .fini = tear_down);

Test(delivery, an_agreement_without_its_body_is_not_accepted)
{
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_AGREED));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM acceptance"), 0));
    cr_expect(eq(i64, village_count(&village, "sum(credit) FROM host"), 0));
    cr_expect(eq(sz, uploads_of(ann, anns) + uploads_of(bob, bobs), 1), "one is asked");
    cr_expect(eq(int, drop_of(ann, anns), 0));
    cr_expect(eq(int, drop_of(bob, bobs), 0));
}

Test(delivery, the_body_makes_it_accepted_and_then_it_may_be_dropped)
{
    cr_expect(eq(int, upload(ann, anns, "large\n"), STATUS_OK));
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM journal WHERE kind = 12"), 2));
    cr_expect(eq(int, drop_of(ann, anns), DROP_ACCEPTED));
    cr_expect(eq(int, drop_of(bob, bobs), DROP_ACCEPTED));
    cr_expect(eq(int, upload(ann, anns, "large\n"), STATUS_OK), "a repeat");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM acceptance"), 1));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM file_reference WHERE kind = 3"), 1));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM file_reference WHERE kind = 4"), 0));
}

Test(delivery, only_what_was_asked_for_may_be_uploaded)
{
    struct command may = {
        .kind = COMMAND_MAY_UPLOAD,
        .may_upload = {
            .host = village.hosts[eve].id, .task = anns, .name = "out", .size_bytes = 6}};

    cr_expect(eq(int, village_run(&village, &may), STATUS_FORBIDDEN), "another's task");
    may.may_upload.host = village.hosts[bob].id;
    may.may_upload.task = bobs;
    cr_expect(eq(int, village_run(&village, &may), STATUS_FORBIDDEN), "not asked");
    may.may_upload.host = village.hosts[ann].id;
    may.may_upload.task = anns;
    may.may_upload.name = "in";
    cr_expect(eq(int, village_run(&village, &may), STATUS_INVALID), "no such output");
    may.may_upload.name = "out";
    may.may_upload.size_bytes = 7;
    cr_expect(eq(int, village_run(&village, &may), STATUS_INVALID), "another size");
    may.may_upload.size_bytes = 6;
    cr_expect(eq(int, village_run(&village, &may), STATUS_OK));
    cr_expect(eq(int, upload(ann, anns, "wrong\n"), STATUS_CONFLICT));
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_AGREED));
}

Test(delivery, the_next_is_asked_when_one_does_not_deliver)
{
    cr_expect(eq(sz, uploads_of(ann, anns), 1));
    village_pass(&village, village.config.body_wait_s + 1);
    cr_expect(eq(sz, uploads_of(bob, bobs), 1));
    cr_expect(eq(int, upload(bob, bobs, "large\n"), STATUS_OK));
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
}

Test(delivery, a_restart_does_not_forget_whom_it_waits_for)
{
    village_restart(&village);
    village_pass(&village, village.config.body_wait_s + 1);
    cr_expect(eq(sz, uploads_of(bob, bobs), 1));
}

/* More than a page of them: none has a task, so that its agreement is given up once it is due. */
Test(delivery, a_restart_forgets_none_of_many_units_that_wait)
{
    village_add_units(&village, QUERY_ROWS_MAX, NULL);
    village_change(&village, "UPDATE unit SET state = 3, copies_wanted = 0;"
                             "UPDATE tally SET count = 0 WHERE kind = 1 AND what = 1;"
                             "UPDATE tally SET count = 1001 WHERE kind = 1 AND what = 4");
    village_restart(&village);
    village_pass(&village, village.config.body_wait_s + 1);
    cr_expect(eq(i64, village_count(&village, "count(*) FROM unit WHERE state = 3"), 1),
              "bob's is asked for");
}

Test(delivery, a_body_that_nobody_delivers_reopens_the_unit)
{
    village_pass(&village, village.config.body_wait_s + 1);
    village_pass(&village, village.config.body_wait_s + 1);
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_OPEN));
    cr_expect(eq(i64, village_count(&village, "copies_wanted FROM unit"), 2));
    cr_expect(
        eq(i64, village_count(&village, "count(*) FROM task WHERE state = 6 AND cause = 6"), 2));
    cr_expect(village_get(&village, eve) != 0);
}

static void three_copies(struct work_unit *unit)
{
    unit->acceptance.copies = 3;
}

/* A second unit of which Ann and Bob agree, and Eve has the third copy. Returns Eve's. */
static int64_t agree_before_eve(void)
{
    struct scheduler_reply reply;
    int64_t anns_next, bobs_next, eves;

    village_add_units(&village, 1, three_copies);
    anns_next = village_get(&village, ann);
    bobs_next = village_get(&village, bob);
    eves = village_get(&village, eve);
    cr_assert(anns_next != 0 && bobs_next != 0 && eves != 0);
    (void)report(ann, anns_next, &reply);
    scheduler_reply_clear(&reply);
    (void)report(bob, bobs_next, &reply);
    scheduler_reply_clear(&reply);
    cr_assert(eq(i64, village_count(&village, "state FROM unit WHERE position = 1"), UNIT_AGREED));
    return eves;
}

Test(delivery, a_third_report_with_its_body_serves_as_well)
{
    int64_t eves = agree_before_eve();

    village_report(&village, eve, eves, "large\n");
    cr_expect(
        eq(i64, village_count(&village, "state FROM unit WHERE position = 1"), UNIT_ACCEPTED));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM journal WHERE kind = 12"), 3));
    cr_expect(eq(int, drop_of(eve, eves), DROP_ACCEPTED));
}

Test(delivery, a_right_report_that_came_late_counts_once_the_agreement_is_given_up)
{
    int64_t eves = agree_before_eve(), dans;
    size_t dan = village_join(&village);
    struct scheduler_reply reply;

    cr_assert(eq(int, report(eve, eves, &reply), STATUS_OK));
    cr_expect(eq(int, reply.acks[0].state, ACK_REPORTED), "keep the body");
    scheduler_reply_clear(&reply);
    cr_expect(eq(int, drop_of(eve, eves), 0));
    village_pass(&village, village.config.body_wait_s + 1);
    village_pass(&village, village.config.body_wait_s + 1);
    cr_assert(eq(i64, village_count(&village, "state FROM unit WHERE position = 1"), UNIT_OPEN));
    cr_expect(eq(i64, village_count(&village, "copies_wanted FROM unit WHERE position = 1"), 1));

    while ((dans = village_get(&village, dan)) != 0 && TASK_UNIT(dans) != TASK_UNIT(eves))
        continue;
    cr_assert(dans != 0);
    cr_assert(eq(int, report(dan, dans, &reply), STATUS_OK));
    scheduler_reply_clear(&reply);
    cr_expect(eq(sz, uploads_of(eve, eves), 1), "she is asked");
    cr_expect(eq(int, upload(eve, eves, "large\n"), STATUS_OK));
    cr_expect(
        eq(i64, village_count(&village, "state FROM unit WHERE position = 1"), UNIT_ACCEPTED));
}

/* The collector works on the engine's thread: what it took before the command, the command sees. */
Test(delivery, a_body_that_was_collected_on_its_way_has_to_come_again)
{
    is_on_disk = false;
    cr_expect(eq(int, upload(ann, anns, "large\n"), STATUS_BUSY));
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_AGREED));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM file_reference WHERE kind = 4"), 0));
    is_on_disk = true;
    cr_expect(eq(int, upload(ann, anns, "large\n"), STATUS_OK));
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
}

Test(delivery, a_file_that_is_not_on_the_disk_is_not_known)
{
    struct command command = {.kind = COMMAND_FILE_STORED,
                              .file = {.digest = digest_of("input", 5), .size_bytes = 5}};
    int64_t known = village_count(&village, "count(*) FROM file");

    is_on_disk = false;
    cr_expect(eq(int, village_run(&village, &command), STATUS_BUSY));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM file"), known));
    is_on_disk = true;
    cr_expect(eq(int, village_run(&village, &command), STATUS_OK));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM file"), known + 1));
}

Test(delivery, after_a_retry_the_first_report_of_a_host_stands)
{
    struct scheduler_reply reply;

    village_change(&village, "UPDATE unit SET max_failures = 1");
    village_pass(&village, village.config.body_wait_s + 1);
    village_pass(&village, village.config.body_wait_s + 1);
    cr_assert(eq(i64, village_count(&village, "state FROM unit"), UNIT_FAILED));
    cr_assert(eq(int, village_act(&village, ACTION_RETRY), STATUS_OK));
    village_pass(&village, 1);
    cr_assert(eq(i64, village_count(&village, "state FROM unit"), UNIT_OPEN));

    cr_assert(eq(int, report(ann, anns, &reply), STATUS_OK));
    cr_expect(eq(int, reply.acks[0].state, ACK_DROPPED));
    scheduler_reply_clear(&reply);
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 8"), 2));
    cr_expect(eq(i64, village_count(&village, "copies_wanted FROM unit"), 2));
    cr_expect(village_get(&village, eve) != 0);
}
