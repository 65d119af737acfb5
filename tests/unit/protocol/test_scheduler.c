/* protocol/scheduler_request and protocol/scheduler_reply: a host's visit and its answer. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "protocol/cause.h"
#include "protocol/scheduler_reply.h"
#include "tests/support/messages.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PAYLOAD                                                                                    \
    "{\"type\":\"" VISIT_TYPE "\",\"project\":\"" DIGEST_A "\",\"visit\":7,\"finished\":["         \
    "{\"task\":12,\"unit\":\"" DIGEST_A "\",\"outcome\":\"done\",\"outputs\":["                    \
    "{\"name\":\"out\",\"digest\":\"" DIGEST_B "\",\"size\":5},"                                   \
    "{\"name\":\"log\",\"digest\":\"" DIGEST_B "\",\"size\":2}]},"                                 \
    "{\"task\":13,\"unit\":\"" DIGEST_A "\",\"outcome\":\"refused\",\"outputs\":[]}]}"
#define REQUEST                                                                                    \
    "{\"statement\":%s,\"reports\":["                                                              \
    "{\"task\":12,\"exit_status\":0,\"cpu_ms\":1500,\"wall_ms\":1600,"                             \
    "\"busy_ms\":1700,\"peak_memory_bytes\":4096,\"stderr\":\"aGk=\","                             \
    "\"bodies\":[{\"name\":\"out\",\"body\":\"aGVsbG8=\"}]},"                                      \
    "{\"task\":13,\"refusal\":\"changed-input\",\"refused\":\"" DIGEST_B "\",\"why\":\"no\","      \
    "\"cpu_ms\":0,\"wall_ms\":0,\"peak_memory_bytes\":0}],"                                        \
    "\"held\":[{\"task\":14,\"state\":\"running\",\"progress_permille\":500,\"busy_ms\":90000},"   \
    "{\"task\":15,\"state\":\"waiting\"}],"                                                        \
    "\"kept\":[{\"task\":17,\"unit\":\"" DIGEST_A "\",\"receipt\":\"" DIGEST_B "\"}],"             \
    "\"refused\":[{\"what\":\"keyring\",\"refusal\":\"keyring-rollback\","                         \
    "\"digest\":\"" DIGEST_B "\"}],"                                                               \
    "\"host\":{\"client\":\"dugnad-client 0.1\",\"platforms\":[\"x86_64-linux-gnu\"],"             \
    "\"layers\":[\"seccomp\"],\"cores\":4,\"memory_bytes\":1000,\"disk_bytes\":2000,"              \
    "\"time\":1700000000},"                                                                        \
    "\"want\":{\"tasks\":2,\"seconds\":3600},"                                                     \
    "\"have\":{\"app_versions\":[\"" DIGEST_A "\"],\"variants\":[]}}"

/* With a statement of these bytes. */
static char *request_with(const char *payload)
{
    CLEANUP(freep) char *statement = test_envelope_text(VISIT_TYPE, payload, 0);

    return text_format(REQUEST, statement);
}

static enum status decode(const char *body, size_t length, struct error *err)
{
    CLEANUP(scheduler_request_clear) struct scheduler_request request = {0};

    return scheduler_request_decode(body, length, &request, err);
}

Test(scheduler_request, is_read_and_written_as_it_was)
{
    CLEANUP(scheduler_request_clear) struct scheduler_request request = {0};
    CLEANUP(freep) char *body = request_with(PAYLOAD);
    CLEANUP(freep) char *again = NULL;

    cr_assert(eq(int, scheduler_request_decode(body, strlen(body), &request, NULL), STATUS_OK));
    cr_expect(eq(i64, request.visit.number, 7));
    cr_expect(eq(str, request.reports[0].bodies[0].body.bytes, "hello"));
    cr_expect(eq(str, request.reports[0].stderr_tail.bytes, "hi"));
    cr_expect(eq(int, (int)request.reports[1].refusal, REFUSAL_CHANGED_INPUT));
    cr_expect(eq(int, request.held[1].progress_permille, SCHEDULER_PROGRESS_UNSAID));
    cr_expect(eq(i64, request.kept[0].task, 17));
    cr_expect(eq(int, (int)request.refused[0].what, REFUSED_KEYRING));
    cr_expect(eq(int, (int)request.refused[0].refusal, REFUSAL_KEYRING_ROLLBACK));
    again = scheduler_request_encode(&request);
    cr_expect(eq(str, again, body));
}

Test(scheduler_request, the_statement_can_be_verified_from_its_exact_bytes)
{
    CLEANUP(scheduler_request_clear) struct scheduler_request request = {0};
    CLEANUP(freep) char *body = request_with(PAYLOAD);
    CLEANUP(private_key_clear) struct private_key signer = test_key(0), other = test_key(1);

    cr_assert(eq(int, scheduler_request_decode(body, strlen(body), &request, NULL), STATUS_OK));
    cr_expect(envelope_is_signed_by(&request.statement, &signer.public_key));
    cr_expect(not(envelope_is_signed_by(&request.statement, &other.public_key)));
    cr_expect(eq(str, request.statement.payload, (char *)PAYLOAD));
}

Test(scheduler_request, is_strict_and_bounded)
{
    CLEANUP(freep) char *body = request_with(PAYLOAD);

    expect_like_any_message(DECODER(decode), body, SCHEDULER_REQUEST_MAX, true);
}

Test(scheduler_request, each_refusal_names_the_member)
{
    static const struct spoilt cases[] = {
        {"\"payloadType\":\"" VISIT_TYPE, "\"payloadType\":\"other", "statement"},
        {"\"statement\":{", "\"statement\":{\"x\":1,", "statement"},
        {"\"task\":12,\"exit", "\"task\":13,\"exit", "reports[0].task"},
        {"\"exit_status\":0", "\"exit_status\":256", "reports[0].exit_status"},
        {"\"exit_status\":0", "\"signal\":0", "reports[0].signal"},
        {"\"exit_status\":0", "\"limit\":\"patience\"", "reports[0].limit"},
        {"\"exit_status\":0", "\"refusal\":\"malformed\"", "reports[0].refusal"},
        {"\"refusal\":\"changed-input\",", "", "reports[1].refusal"},
        {"\"cpu_ms\":1500", "\"cpu_ms\":0,\"unstarted\":true", "reports[0].unstarted"},
        {"\"changed-input\"", "\"none\"", "reports[1].refusal"},
        {"\"why\":\"no\"", "\"why\":\"n\\u0007o\"", "reports[1].why"},
        {"\"cpu_ms\":1500", "\"cpu_ms\":-1", "reports[0].cpu_ms"},
        {"aGk=", "aGk", "reports[0].stderr"},
        {"\"name\":\"out\"", "\"name\":\"other\"", "bodies[0].name"},
        {"\"aGVsbG8=\"", "\"aGk=\"", "bodies[0].body"},
        {"[{\"name\":\"out\",", "[{\"name\":\"out\",\"body\":\"aGVsbG8=\"},{\"name\":\"out\",",
         "bodies[1].name"},
        {"\"task\":14", "\"task\":12", "held[0].task"},
        {"\"task\":15", "\"task\":14", "held[1].task"},
        {"\"task\":17,", "", "kept[0].task"},
        {"\"refused\":[{\"what\":\"keyring\"", "\"refused\":[],\"x\":[{\"what\":\"keyring\"",
         "refused"},
        {"\"what\":\"keyring\"", "\"what\":\"weather\"", "refused[0].what"},
        {"\"keyring-rollback\"", "\"none\"", "refused[0].refusal"},
        {"\"keyring-rollback\"", "\"whim\"", "refused[0].refusal"},
        {"\"keyring-rollback\",", "\"keyring-rollback\",\"y\":1,", "refused[0].y"},
        {"\"progress_permille\":500", "\"progress_permille\":1001", "held[0].progress_permille"},
        {"\"busy_ms\":90000", "\"busy_ms\":-1", "held[0].busy_ms"},
        {"\"running\"", "\"dreaming\"", "held[0].state"},
        {"\"x86_64-linux-gnu\"", "", "host.platforms"},
        {"\"cores\":4", "\"cores\":0", "host.cores"},
        {"\"tasks\":2", "\"tasks\":1000000000", "want.tasks"},
        {"\"seconds\":3600", "\"seconds\":-1", "want.seconds"},
        {"\"variants\":[]", "\"variants\":[\"sha256:00\"]", "have.variants[0]"},
        {"\"variants\":[]", "\"variants\":[],\"y\":1", "have.y"},
        {"\"tasks\":2", "\"tasks\":2,\"y\":1", "want.y"},
    };
    CLEANUP(freep) char *body = request_with(PAYLOAD);

    expect_refused(DECODER(decode), body, cases, COUNT(cases));
}

Test(scheduler_request, reports_belong_to_the_statement_one_by_one)
{
    CLEANUP(freep)
    char *body = request_with("{\"type\":\"" VISIT_TYPE "\",\"project\":\"" DIGEST_A
                              "\",\"visit\":7,\"finished\":[]}");
    struct error err = {0};

    cr_expect(eq(int, decode(body, strlen(body), &err), STATUS_INVALID));
    cr_expect(strstr(err.text, "reports") != NULL, "%s", err.text);
}

Test(scheduler_request, says_that_what_was_abandoned_was_never_started)
{
    CLEANUP(scheduler_request_clear) struct scheduler_request request = {0};
    CLEANUP(freep)
    char *payload = replaced(PAYLOAD, "\"outcome\":\"refused\"", "\"outcome\":\"abandoned\"");
    CLEANUP(freep) char *refused = request_with(payload);
    CLEANUP(freep)
    char *body =
        replaced(refused, "\"refusal\":\"changed-input\",\"refused\":\"" DIGEST_B "\",", "");
    CLEANUP(freep)
    char *told = replaced(body, "\"why\":\"no\",", "\"why\":\"no\",\"unstarted\":true,");
    CLEANUP(freep) char *ran = replaced(told, "\"wall_ms\":0", "\"wall_ms\":1");
    CLEANUP(freep) char *again = NULL;
    struct error err = {0};

    cr_assert(eq(int, scheduler_request_decode(told, strlen(told), &request, NULL), STATUS_OK));
    cr_expect(request.reports[1].is_unstarted);
    again = scheduler_request_encode(&request);
    cr_expect(eq(str, again, told));
    cr_expect(eq(int, decode(ran, strlen(ran), &err), STATUS_INVALID));
    cr_expect(strstr(err.text, "reports[1].unstarted") != NULL, "%s", err.text);
}

Test(scheduler_request, tells_of_sixteen_refused_things_at_most)
{
    CLEANUP(scheduler_request_clear) struct scheduler_request request = {0};
    CLEANUP(freep) char *body = request_with(PAYLOAD);
    CLEANUP(freep) char *full = NULL;
    CLEANUP(freep) char *more = NULL;
    struct error err = {0};

    cr_assert(eq(int, scheduler_request_decode(body, strlen(body), &request, NULL), STATUS_OK));
    while (request.refused_count < SCHEDULER_REFUSED_MAX)
        request.refused[request.refused_count++] = request.refused[0];
    full = scheduler_request_encode(&request);
    cr_expect(eq(int, decode(full, strlen(full), NULL), STATUS_OK));
    more = replaced(full, "\"refused\":[",
                    "\"refused\":[{\"what\":\"envelope\",\"refusal\":\"malformed\","
                    "\"digest\":\"" DIGEST_A "\"},");
    cr_expect(eq(int, decode(more, strlen(more), &err), STATUS_INVALID));
    cr_expect(strstr(err.text, "refused") != NULL, "%s", err.text);
}

/* --- the answer --- */

#define REPLY                                                                                      \
    "{\"visit\":7,\"time\":1700000001,"                                                            \
    "\"acks\":[{\"task\":12,\"state\":\"reported\"},"                                              \
    "{\"task\":13,\"state\":\"dropped\",\"why\":\"late\"}],"                                       \
    "\"grants\":[{\"task\":16,\"unit\":%s,\"app_version\":\"" DIGEST_A                             \
    "\",\"variant\":\"" DIGEST_B "\",\"deadline\":1700090000,\"receipt\":\"" DIGEST_A "\"}],"      \
    "\"envelopes\":[%s],"                                                                          \
    "\"uploads\":[{\"task\":12,\"names\":[\"out\",\"log\"]}],"                                     \
    "\"drops\":[{\"task\":14,\"why\":\"cancelled\"}],"                                             \
    "\"verdicts\":[{\"task\":3,\"verdict\":\"outvoted\",\"credit\":0}],"                           \
    "\"keyring_version\":1,\"freshness_sequence\":2,\"clock_off_s\":-900,"                         \
    "\"asks_for_kept\":true,\"return_s\":60,"                                                      \
    "\"why\":\"no work\"}"

static char *reply_text(void)
{
    CLEANUP(freep) char *unit = test_envelope_text("unit", "{}", 1);

    return text_format(REPLY, unit, unit);
}

static enum status read_reply(const char *body, size_t length, struct scheduler_reply *ret_reply,
                              struct error *err)
{
    CLEANUP(visit_clear) struct visit visit = {0};

    cr_assert(eq(int, visit_decode(PAYLOAD, strlen(PAYLOAD), &visit, NULL), STATUS_OK));
    return scheduler_reply_decode(body, length, &visit, ret_reply, err);
}

static enum status decode_reply(const char *body, size_t length, struct error *err)
{
    CLEANUP(scheduler_reply_clear) struct scheduler_reply reply = {0};

    return read_reply(body, length, &reply, err);
}

Test(scheduler_reply, is_read_and_written_as_it_was)
{
    CLEANUP(scheduler_reply_clear) struct scheduler_reply reply = {0};
    CLEANUP(freep) char *body = reply_text();
    CLEANUP(freep) char *again = NULL;

    cr_assert(eq(int, read_reply(body, strlen(body), &reply, NULL), STATUS_OK));
    cr_expect(eq(int, (int)reply.acks[1].state, ACK_DROPPED));
    cr_expect(eq(sz, reply.uploads[0].names.count, 2));
    cr_expect(eq(i64, reply.return_s, 60));
    cr_expect(eq(i64, reply.clock_off_s, -900));
    again = scheduler_reply_encode(&reply);
    cr_expect(eq(str, again, body));
}

Test(scheduler_reply, is_bounded_and_may_grow_members)
{
    CLEANUP(freep) char *body = reply_text();
    CLEANUP(freep)
    char *more =
        replaced(body, "\"state\":\"reported\"", "\"state\":\"reported\",\"mood\":\"good\"");

    expect_like_any_message(DECODER(decode_reply), body, SCHEDULER_REPLY_MAX, false);
    cr_expect(eq(int, decode_reply(more, strlen(more), NULL), STATUS_OK));
}

Test(scheduler_reply, nobody_is_sent_away_for_more_than_a_day)
{
    CLEANUP(scheduler_reply_clear) struct scheduler_reply reply = {0};
    CLEANUP(freep) char *body = reply_text();
    CLEANUP(freep) char *late = replaced(body, "\"return_s\":60", "\"return_s\":31536000");

    cr_assert(eq(int, read_reply(late, strlen(late), &reply, NULL), STATUS_OK));
    cr_expect(eq(i64, reply.return_s, 86400));
}

Test(scheduler_reply, each_refusal_names_the_member)
{
    static const struct spoilt cases[] = {
        {"\"visit\":7", "\"visit\":8", "visit"},
        {"\"task\":12,\"state\"", "\"task\":99,\"state\"", "acks[0].task"},
        {"{\"task\":12,\"state\":\"reported\"},", "", "acks"},
        {"\"reported\"", "\"eaten\"", "acks[0].state"},
        {"\"unit\":{", "\"unit\":7,\"was\":{", "grants[0].unit"},
        {"\"envelopes\":[{\"payload", "\"envelopes\":[7,{\"payload", "envelopes"},
        {"\"deadline\":1700090000", "\"deadline\":-1", "grants[0].deadline"},
        {"\"names\":[\"out\"", "\"names\":[\"/etc/passwd\"", "uploads[0].names"},
        {"\"names\":[\"out\",\"log\"]", "\"names\":[]", "uploads[0].names"},
        {"\"cancelled\"", "\"whim\"", "drops[0].why"},
        {"\"outvoted\"", "\"ugly\"", "verdicts[0].verdict"},
        {"\"credit\":0", "\"credit\":-3", "verdicts[0].credit"},
        {"\"return_s\":60", "\"return_s\":-60", "return_s"},
        {"\"clock_off_s\":-900", "\"clock_off_s\":\"-900\"", "clock_off_s"},
        {"\"no work\"", "\"no\\u202ework\"", "why"},
    };
    CLEANUP(freep) char *body = reply_text();

    expect_refused(DECODER(decode_reply), body, cases, COUNT(cases));
}

static void expect_refused_alone(const char *from, const char *to, enum refusal refusal,
                                 const char *says)
{
    CLEANUP(scheduler_reply_clear) struct scheduler_reply reply = {0};
    CLEANUP(freep) char *body = reply_text();
    CLEANUP(freep) char *spoilt = replaced(body, from, to);
    struct error err = {0};

    cr_assert(eq(int, read_reply(spoilt, strlen(spoilt), &reply, &err), STATUS_OK), "%s", err.text);
    cr_expect(eq(int, reply.grants[0].refusal, refusal));
    cr_expect(not(digest_is_none(&reply.grants[0].refused)));
    cr_expect(strstr(reply.grants[0].why, says) != NULL, "%s", reply.grants[0].why);
}

Test(scheduler_reply, a_grant_whose_unit_is_no_envelope_is_refused_alone)
{
    expect_refused_alone("\"payload\":", "\"pay\":", REFUSAL_MALFORMED, "payload");
    expect_refused_alone("\"keyid\":\"", "\"key\":\"", REFUSAL_UNKNOWN_MEMBER, "key");
}

/* --- why a task failed --- */

static void expect_cause(const struct scheduler_report *report, char *expected)
{
    const struct cause cause = cause_of_error(report);
    char words[WHY_MAX + 1];

    cause_words(&cause, report->why, words);
    cr_expect(eq(str, words, expected));
}

Test(cause, an_error_is_put_in_words_by_what_is_known_of_it)
{
    expect_cause(&(struct scheduler_report){.has_exit_status = true, .exit_status = 3},
                 "exit status 3");
    expect_cause(&(struct scheduler_report){.signal = 11, .why = "SIGSEGV"},
                 "killed by signal 11: SIGSEGV");
    expect_cause(&(struct scheduler_report){.limit = LIMIT_MEMORY, .signal = 9},
                 "ended at its limit of memory");
    expect_cause(&(struct scheduler_report){.has_exit_status = true, .why = "output a is missing"},
                 "output a is missing");
}
