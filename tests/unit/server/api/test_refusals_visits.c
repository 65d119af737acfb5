/* server/api: what is wrong with a host, its visit or its report is said, and nothing comes of it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "protocol/enrolment.h"
#include "tests/support/messages.h"
#include "tests/unit/server/api/refusals_suite.h"

static int visit_as(const struct grid_host *host, const char *body)
{
    return ask("POST", "/v1/scheduler", host->token.text, "application/json", body);
}

/* A host with tasks of the first units, and their digests. */
static void work_for(struct grid_host *host, unsigned seed, struct grid_report *ret_reports,
                     size_t count)
{
    struct scheduler_reply reply;

    grid_enrol(&grid, seed, host);
    for (size_t i = 0; i < count; i++) {
        struct envelope unit;

        cr_assert(eq(int, grid_visit(&grid, host, 1, NULL, 0, &reply), 200));
        cr_assert(eq(sz, reply.grant_count, 1), "%s", reply.why);
        cr_assert(eq(int,
                     envelope_decode(reply.grants[0].unit, strlen(reply.grants[0].unit),
                                     ENVELOPE_PAYLOAD_MAX, &unit, NULL),
                     STATUS_OK));
        ret_reports[i] = (struct grid_report){
            .task = reply.grants[0].task, .unit = unit.digest, .output = "42\n"};
        envelope_clear(&unit);
        scheduler_reply_clear(&reply);
        /* A new host has one task at a time until its first agreed result. */
        if (i + 1 < count)
            break;
    }
}

Test(refusals, enrolment_needs_a_challenge_a_signature_and_the_project)
{
    struct grid_host host = {0};
    struct digest seed = digest_of("x", 1);
    struct challenge_reply challenge;
    struct enrolment enrolment = {.kind = ENROLMENT_NATIVE, .time_s = SAMPLE_NOW_S};

    grid_publish(&grid);
    private_key_from_seed(&host.key, seed.bytes);
    cr_assert(eq(int, grid_post(&grid, "/v1/challenges", "{}"), 200));
    cr_assert(eq(
        int,
        challenge_reply_decode(grid.client.body.bytes, grid.client.body.length, &challenge, NULL),
        STATUS_OK));
    for (int wrong = 0; wrong < 4; wrong++) {
        struct enrolment_request request = {0};
        CLEANUP(freep) char *payload = NULL;
        CLEANUP(freep) char *text = NULL;
        int expected = wrong == 0 ? 200 : wrong == 3 ? 403 : 400;

        enrolment.project = wrong == 1 ? seed : grid.sample.project;
        enrolment.key = host.key.public_key;
        enrolment.challenge = challenge.challenge;
        if (wrong == 2)
            enrolment.challenge.bytes[20] ^= 1;
        payload = enrolment_encode(&enrolment);
        request.statement =
            sample_seal(ENROLMENT_TYPE, payload, wrong == 3 ? &grid.sample.stranger : &host.key);
        text = enrolment_request_encode(&request);
        enrolment_request_clear(&request);
        cr_expect(eq(int, grid_post(&grid, "/v1/hosts", text), expected), "%d: %s", wrong,
                  grid_body(&grid));
    }
    grid_host_clear(&host);
}

Test(refusals, a_repeated_enrolment_is_answered_alike)
{
    struct grid_host first;
    struct grid_host again;

    grid_publish(&grid);
    grid_enrol(&grid, 1, &first);
    grid_enrol(&grid, 1, &again);
    cr_expect(eq(i64, first.id, again.id));
    grid_host_clear(&first);
    grid_host_clear(&again);
}

Test(refusals, a_visit_signed_by_another_key_or_for_another_project_is_refused)
{
    struct grid_host host;
    struct grid_host forged;
    CLEANUP(freep) char *text = NULL;

    grid_publish(&grid);
    grid_enrol(&grid, 1, &host);
    grid_enrol(&grid, 2, &forged);
    text = grid_visit_text(&grid, &forged, 1, 0, NULL, 0);
    cr_expect(eq(int, visit_as(&host, text), 403));
    cr_expect(grid_says(&grid, "\"type\":\"untrusted\""), "%s", grid_body(&grid));
    free(text);
    grid.sample.project = digest_of("another", 7);
    text = grid_visit_text(&grid, &host, 1, 0, NULL, 0);
    cr_expect(eq(int, visit_as(&host, text), 400));
    grid_host_clear(&host);
    grid_host_clear(&forged);
}

/* It goes to the log, and to who looks at the counts: once, though the visit comes twice. */
Test(refusals, what_clients_refused_is_counted_by_kind_and_code)
{
    struct grid_host host;
    CLEANUP(freep) char *plain = NULL;
    CLEANUP(freep) char *text = NULL;

    grid_publish(&grid);
    grid_enrol(&grid, 1, &host);
    cr_assert(eq(int, grid_get(&grid, "/metrics"), 200));
    cr_expect(not(grid_says(&grid, "dugnad_offers_refused_total")), "%s", grid_body(&grid));
    plain = grid_visit_text(&grid, &host, 1, 0, NULL, 0);
    text = replaced(plain, "\"host\":{",
                    "\"refused\":[{\"what\":\"keyring\",\"refusal\":\"keyring-rollback\","
                    "\"digest\":\"" DIGEST_A "\"},"
                    "{\"what\":\"envelope\",\"refusal\":\"malformed\","
                    "\"digest\":\"" DIGEST_B "\"}],\"host\":{");
    cr_assert(eq(int, visit_as(&host, text), 200), "%s", grid_body(&grid));
    cr_assert(eq(int, visit_as(&host, text), 200), "%s", grid_body(&grid));
    cr_assert(eq(int, grid_get(&grid, "/metrics"), 200));
    cr_expect(grid_says(&grid, "dugnad_offers_refused_total{what=\"keyring\","
                               "refusal=\"keyring-rollback\"} 1\n"));
    cr_expect(grid_says(&grid, "dugnad_offers_refused_total{what=\"envelope\","
                               "refusal=\"malformed\"} 1\n"));
    cr_assert(eq(int, grid_get(&grid, "/v1/hosts"), 200));
    cr_expect(grid_says(&grid, "\"refused\":{\"what\":\"keyring\",\"refusal\":"
                               "\"keyring-rollback\",\"digest\":\"" DIGEST_A "\",\"day\":"),
              "%s", grid_body(&grid));
    grid_host_clear(&host);
}

Test(refusals, a_visit_cannot_ask_for_a_billion_tasks)
{
    struct grid_host host;
    CLEANUP(freep) char *text = NULL;

    grid_publish(&grid);
    grid_enrol(&grid, 1, &host);
    text = grid_visit_text(&grid, &host, 1, 1000000000, NULL, 0);
    cr_expect(eq(int, visit_as(&host, text), 400));
    cr_expect(grid_says(&grid, "want.tasks"), "%s", grid_body(&grid));
    grid_host_clear(&host);
}

Test(refusals, a_report_for_another_hosts_task_is_dropped_and_changes_nothing)
{
    struct grid_host mine;
    struct grid_host other;
    struct grid_report report;
    struct scheduler_reply reply;

    grid_publish(&grid);
    grid_add_units(&grid, 0, 1);
    work_for(&mine, 1, &report, 1);
    grid_enrol(&grid, 2, &other);
    cr_assert(eq(int, grid_visit(&grid, &other, 0, &report, 1, &reply), 200));
    cr_expect(eq(int, reply.acks[0].state, ACK_DROPPED));
    scheduler_reply_clear(&reply);
    cr_assert(eq(int, grid_visit(&grid, &mine, 0, &report, 1, &reply), 200));
    cr_expect(eq(int, reply.acks[0].state, ACK_STORED));
    scheduler_reply_clear(&reply);
    grid_host_clear(&mine);
    grid_host_clear(&other);
}

Test(refusals, a_task_reported_twice_counts_once)
{
    struct grid_host host;
    struct grid_report report;
    struct scheduler_reply reply;

    grid_publish(&grid);
    grid_add_units(&grid, 0, 1);
    work_for(&host, 1, &report, 1);
    for (int i = 0; i < 2; i++) {
        cr_assert(eq(int, grid_visit(&grid, &host, 0, &report, 1, &reply), 200));
        cr_expect(eq(int, reply.acks[0].state, ACK_STORED));
        scheduler_reply_clear(&reply);
    }
    report.output = "another\n";
    cr_assert(eq(int, grid_visit(&grid, &host, 0, &report, 1, &reply), 200));
    scheduler_reply_clear(&reply);
    cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "/tasks")), 200));
    cr_expect(grid_says(&grid, "\"state\":\"reported\""), "%s", grid_body(&grid));
    grid_host_clear(&host);
}

/* Cancelling a batch ends its units slice by slice. */
static bool comes_to_say(const char *part)
{
    for (int i = 0; i < 50; i++) {
        cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "")), 200));
        if (grid_says(&grid, part))
            return true;
        grid.env.sleep_ms(&grid.env, 100);
    }
    return false;
}

Test(refusals, a_report_after_cancel_is_taken_and_comes_to_nothing)
{
    struct grid_host host;
    struct grid_report report;
    struct scheduler_reply reply;

    grid_publish(&grid);
    grid_add_units(&grid, 0, 1);
    work_for(&host, 1, &report, 1);
    cr_assert(
        eq(int, grid_post(&grid, grid_batch(&grid, "/actions"), "{\"action\":\"cancel\"}"), 200));
    cr_expect(grid_says(&grid, "\"state\":\"cancelled\""), "%s", grid_body(&grid));
    cr_assert(eq(int, grid_visit(&grid, &host, 0, &report, 1, &reply), 200));
    cr_expect(ne(int, reply.acks[0].state, ACK_REPORTED));
    cr_expect(zero(sz, reply.upload_count));
    scheduler_reply_clear(&reply);
    cr_expect(comes_to_say("\"cancelled\":1,"), "%s", grid_body(&grid));
    cr_expect(grid_says(&grid, "\"state\":\"cancelled\""), "%s", grid_body(&grid));
    grid_host_clear(&host);
}

/* The statement is signed by the host: what it says of its outputs is judged, not the request. */
static void expect_bad_outputs(const char *find, const char *put, const char *state)
{
    struct grid_host host;
    struct grid_report report;
    struct envelope statement;
    CLEANUP(freep) char *text = NULL;
    CLEANUP(freep) char *body = NULL;
    json_error_t json_err;
    json_auto_t *root = NULL;
    CLEANUP(freep) char *payload = NULL;
    const char *at;

    grid_publish(&grid);
    grid_add_units(&grid, 0, 1);
    work_for(&host, 1, &report, 1);
    text = grid_visit_text(&grid, &host, ++host.visit, 0, &report, 1);
    root = json_loads(text, 0, &json_err);
    cr_assert(eq(int,
                 envelope_from_json(json_object_get(root, "statement"), ENVELOPE_PAYLOAD_MAX,
                                    &statement, NULL),
                 STATUS_OK));
    at = strstr(statement.payload, find);
    cr_assert(at != NULL, "%s", statement.payload);
    payload = text_format("%.*s%s%s", (int)(at - statement.payload), statement.payload, put,
                          at + strlen(find));
    envelope_clear(&statement);
    statement = sample_seal(VISIT_TYPE, payload, &host.key);
    json_object_set_new(root, "statement", envelope_to_json(&statement));
    json_object_del(json_array_get(json_object_get(root, "reports"), 0), "bodies");
    envelope_clear(&statement);
    body = json_dumps(root, JSON_COMPACT);
    if (visit_as(&host, body) == 200) {
        cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "/tasks")), 200));
        cr_expect(grid_says(&grid, state), "%s", grid_body(&grid));
    } else {
        cr_expect(grid_says(&grid, "\"type\":\"invalid\""), "%s", grid_body(&grid));
    }
    grid_host_clear(&host);
}

#define OUTPUT                                                                                     \
    "{\"name\":\"out\",\"digest\":"                                                                \
    "\"sha256:084c799cd551dd1d8d5c5f9a5d593b2e931f5e36122ee5c793c1d08a19839cc0\",\"size\":3}"

Test(refusals, a_report_with_an_output_missing_is_an_error)
{
    expect_bad_outputs(OUTPUT, "", "\"state\":\"error\"");
}

Test(refusals, a_report_with_an_extra_output_is_an_error)
{
    expect_bad_outputs("\"name\":\"out\"",
                       "\"name\":\"more\",\"digest\":\"sha256:"
                       "084c799cd551dd1d8d5c5f9a5d593b2e931f5e36122ee5c793c1d08a19839cc0\","
                       "\"size\":3},{\"name\":\"out\"",
                       "\"state\":\"error\"");
}

Test(refusals, a_report_with_an_output_too_large_is_an_error)
{
    expect_bad_outputs("\"size\":3", "\"size\":1001", "\"state\":\"error\"");
}

Test(refusals, a_report_with_an_output_misnamed_is_an_error)
{
    expect_bad_outputs("\"name\":\"out\"", "\"name\":\"OUT\"", "\"state\":\"error\"");
}
