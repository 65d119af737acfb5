/* Batches as operators see them: batch, explain, unit_status, listing. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "protocol/explain.h"
#include "protocol/listing.h"
#include "protocol/unit_status.h"
#include "tests/support/messages.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define STATUS                                                                                     \
    "{\"batch\":\"" BATCH_A                                                                        \
    "\",\"name\":\"primes-1\",\"app\":\"primes\",\"app_version\":\"" DIGEST_A                      \
    "\",\"state\":\"paused\",\"why\":\"most tasks fail\",\"priority\":-2,"                         \
    "\"needed_by\":1700000500,\"created\":1700000000,\"units\":28,\"waiting\":1,\"running\":2,"    \
    "\"judging\":3,\"agreed\":4,\"accepted\":5,\"failed\":6,\"cancelled\":7,\"tasks\":60,"         \
    "\"task_outcomes\":{\"agreed\":1,\"outvoted\":2,\"inconclusive\":3,\"error\":4,"               \
    "\"overdue\":5,\"dropped\":6,\"abandoned\":7},\"retry\":{\"running\":true,"                    \
    "\"reopened\":1,\"expired\":2,\"revoked\":3,\"spent\":4},\"finish_estimate_s\":1700000900}"

static enum status decode_request(const char *body, size_t length, struct error *err)
{
    struct batch_request request;

    return batch_request_decode(body, length, &request, err);
}

Test(batch, a_request_is_strict_and_each_refusal_names_the_member)
{
    static const char body[] =
        "{\"batch\":\"" BATCH_A "\",\"name\":\"primes-1\",\"app_version\":\"" DIGEST_A
        "\",\"priority\":3,\"needed_by\":1700000000}";
    static const struct spoilt cases[] = {
        {BATCH_A, "0011", "batch"},
        {"primes-1", "../primes", "name"},
        {"primes-1", "0123456789abcdef0123456789ABCDEF", "name"},
        {"primes-1",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaa"
         "aaaaaaaaa",
         "name"},
        {"\"priority\":3", "\"priority\":11", "priority"},
        {"\"priority\":3", "\"priority\":-11", "priority"},
        {"1700000000", "-1", "needed_by"},
        {DIGEST_A, "sha256:", "app_version"},
    };
    struct batch_request request;
    CLEANUP(freep) char *again = NULL;

    expect_like_any_message(DECODER(decode_request), body, BATCH_REQUEST_MAX, true);
    expect_refused(DECODER(decode_request), body, cases, COUNT(cases));
    cr_assert(eq(int, batch_request_decode(body, strlen(body), &request, NULL), STATUS_OK));
    again = batch_request_encode(&request);
    cr_expect(eq(str, again, (char *)body));
}

static enum status decode_action(const char *body, size_t length, struct error *err)
{
    struct batch_action_request request;

    return batch_action_decode(body, length, &request, err);
}

Test(batch, only_the_action_priority_has_a_priority)
{
    static const char body[] = "{\"action\":\"priority\",\"priority\":-7}";
    static const struct spoilt cases[] = {
        {"\"action\":\"priority\"", "\"action\":\"close\"", "priority"},
        {"\"action\":\"priority\"", "\"action\":\"explode\"", "action"},
        {",\"priority\":-7", "", "priority"},
    };

    expect_like_any_message(DECODER(decode_action), body, BATCH_REQUEST_MAX, true);
    expect_refused(DECODER(decode_action), body, cases, COUNT(cases));
    for (int action = ACTION_CLOSE; action <= ACTION_AGAIN; action++) {
        struct batch_action_request sent = {.action = action}, got = {0};
        CLEANUP(freep) char *text = batch_action_encode(&sent);

        cr_assert(eq(int, batch_action_decode(text, strlen(text), &got, NULL), STATUS_OK));
        cr_expect(eq(int, (int)got.action, action));
    }
}

Test(batch, only_the_action_again_may_name_a_unit)
{
    static const char body[] = "{\"action\":\"again\",\"unit\":\"" DIGEST_A "\"}";
    static const struct spoilt cases[] = {
        {"\"again\"", "\"retry\"", "unit"},
        {"sha256:", "sha1:", "unit"},
    };
    struct batch_action_request got = {0};
    CLEANUP(freep) char *again = NULL;

    expect_like_any_message(DECODER(decode_action), body, BATCH_REQUEST_MAX, true);
    expect_refused(DECODER(decode_action), body, cases, COUNT(cases));
    cr_assert(eq(int, batch_action_decode(body, strlen(body), &got, NULL), STATUS_OK));
    again = batch_action_encode(&got);
    cr_expect(eq(str, again, (char *)body));
}

static enum status decode_status(const char *body, size_t length, struct error *err)
{
    struct batch_status status;

    return batch_status_decode(body, length, &status, err);
}

Test(batch, its_status_is_read_and_written_as_it_was)
{
    static const struct spoilt cases[] = {
        {"\"paused\"", "\"bored\"", "state"},
        {"\"accepted\":5", "\"accepted\":-5", "accepted"},
        {"\"overdue\":5", "\"overdue\":null", "task_outcomes.overdue"},
        {"\"app\":\"primes\"", "\"app\":\"Primes!\"", "app"},
    };
    struct batch_status status = {0};
    CLEANUP(freep) char *again = NULL;

    expect_like_any_message(DECODER(decode_status), STATUS, BATCH_REPLY_MAX, false);
    expect_refused(DECODER(decode_status), STATUS, cases, COUNT(cases));
    cr_assert(eq(int, batch_status_decode(STATUS, strlen(STATUS), &status, NULL), STATUS_OK));
    cr_expect(not(batch_has_ended(&status)));
    again = batch_status_encode(&status);
    cr_expect(eq(str, again, (char *)STATUS));
}

static enum status decode_explanation(const char *body, size_t length, struct error *err)
{
    CLEANUP(explanation_clear) struct explanation explanation = {0};

    return explanation_decode(body, length, &explanation, err);
}

Test(explain, words_are_kept_and_foreign_text_is_made_harmless)
{
    static const char body[] =
        "{\"state\":\"open\",\"waits_for\":[\"needs 2 independent volunteers; 1 enrolled\"],"
        "\"failures\":[{\"why\":\"exit status 3\",\"count\":2,\"example_unit\":\"" DIGEST_A
        "\",\"stderr\":\"no\\nroom\"}],\"units_examined\":500,\"hosts\":1,\"volunteers\":1}";
    static const struct spoilt cases[] = {
        {"\"open\"", "\"ajar\"", "state"},
        {"\"count\":2", "\"count\":0", "failures[0].count"},
        {"\"hosts\":1", "\"hosts\":-1", "hosts"},
    };
    CLEANUP(explanation_clear) struct explanation explanation = {0};
    CLEANUP(freep) char *again = NULL, *wild = replaced(body, "no\\nroom", "\\u001b[31mred");
    struct explanation shown = {0};

    expect_like_any_message(DECODER(decode_explanation), body, EXPLAIN_MAX, false);
    expect_refused(DECODER(decode_explanation), body, cases, COUNT(cases));
    cr_assert(eq(int, explanation_decode(body, strlen(body), &explanation, NULL), STATUS_OK));
    again = explanation_encode(&explanation);
    cr_expect(eq(str, again, (char *)body));
    cr_assert(eq(int, explanation_decode(wild, strlen(wild), &shown, NULL), STATUS_OK));
    cr_expect(eq(str, shown.failures[0].stderr_tail, "?[31mred"));
    explanation_clear(&shown);
}

static enum status decode_unit(const char *body, size_t length, struct error *err)
{
    CLEANUP(unit_status_clear) struct unit_status unit = {0};

    return unit_status_decode(body, length, &unit, err);
}

Test(unit_status, shows_each_task_and_how_it_ended)
{
    static const char body[] =
        "{\"unit\":\"" DIGEST_A "\",\"batch\":\"" BATCH_A "\",\"name\":\"u0\",\"index\":0,"
        "\"state\":\"open\",\"waits_for\":[\"one more report\"],\"tasks\":["
        "{\"task\":1,\"state\":\"error\",\"host\":2,\"volunteer\":3,\"sent\":1700000000,"
        "\"deadline\":1700090000,\"reported\":1700000100,\"outputs\":[],\"exit_status\":3,"
        "\"limit\":\"processes\",\"refusal\":\"changed-input\",\"stderr\":\"oh\",\"credit\":0},"
        "{\"task\":2,\"state\":\"outvoted\",\"host\":4,\"volunteer\":5,\"sent\":1700000000,"
        "\"deadline\":1700090000,\"outputs\":[{\"name\":\"out\",\"digest\":\"" DIGEST_B
        "\",\"size\":5}],\"signal\":9,\"credit\":0}]}";
    static const struct spoilt cases[] = {
        {"\"state\":\"outvoted\"", "\"state\":\"odd\"", "tasks[1].state"},
        {"\"name\":\"u0\"", "\"name\":\".u0\"", "name"},
        {"\"exit_status\":3", "\"exit_status\":300", "tasks[0].exit_status"},
        {"\"size\":5", "\"size\":-5", "outputs[0].size"},
    };
    CLEANUP(unit_status_clear) struct unit_status unit = {0};
    CLEANUP(freep) char *again = NULL;

    expect_like_any_message(DECODER(decode_unit), body, UNIT_STATUS_MAX, false);
    expect_refused(DECODER(decode_unit), body, cases, COUNT(cases));
    cr_assert(eq(int, unit_status_decode(body, strlen(body), &unit, NULL), STATUS_OK));
    cr_expect(eq(int, (int)unit.tasks[0].limit, LIMIT_PROCESSES));
    again = unit_status_encode(&unit);
    cr_expect(eq(str, again, (char *)body));
}

/* --- pages --- */

#define PAGE_DECODER(what)                                                                         \
    static enum status decode_##what(const char *body, size_t length, struct error *err)           \
    {                                                                                              \
        CLEANUP(what##_clear) struct what page = {0};                                              \
                                                                                                   \
        return what##_decode(body, length, &page, err);                                            \
    }                                                                                              \
    static void expect_round_trip_##what(const char *body)                                         \
    {                                                                                              \
        CLEANUP(what##_clear) struct what page = {0};                                              \
        CLEANUP(freep) char *again = NULL;                                                         \
                                                                                                   \
        cr_assert(eq(int, what##_decode(body, strlen(body), &page, NULL), STATUS_OK));             \
        cr_expect(eq(sz, page.count, 1));                                                          \
        again = what##_encode(&page);                                                              \
        cr_expect(eq(str, again, (char *)body));                                                   \
    }

PAGE_DECODER(batch_page)
PAGE_DECODER(unit_page)
PAGE_DECODER(task_page)
PAGE_DECODER(host_page)

Test(listing, pages_of_batches)
{
    static const char body[] = "{\"batches\":[" STATUS "],\"next\":\"1:7\"}";
    static const struct spoilt cases[] = {
        {"\"next\":\"1:7\"", "\"next\":\"a b\"", "next"},
        {"\"paused\"", "\"bored\"", "batches[0].state"},
    };

    expect_like_any_message(DECODER(decode_batch_page), body, LISTING_MAX, false);
    expect_round_trip_batch_page(body);
    expect_refused(DECODER(decode_batch_page), body, cases, COUNT(cases));
}

Test(listing, pages_of_units)
{
    static const char body[] =
        "{\"units\":[{\"unit\":\"" DIGEST_A "\",\"name\":\"u0\",\"index\":0,\"state\":\"failed\","
        "\"why\":\"errors\"}]}";
    static const struct spoilt cases[] = {{"\"failed\"", "\"ill\"", "units[0].state"}};

    expect_like_any_message(DECODER(decode_unit_page), body, LISTING_MAX, false);
    expect_round_trip_unit_page(body);
    expect_refused(DECODER(decode_unit_page), body, cases, COUNT(cases));
}

Test(listing, pages_of_tasks)
{
    static const char body[] =
        "{\"tasks\":[{\"task\":9,\"unit\":\"" DIGEST_A
        "\",\"name\":\"u0\",\"state\":\"outvoted\",\"host\":2,\"volunteer\":3,"
        "\"volunteer_name\":\"Ola\"}],\"next\":\"9\"}";
    static const struct spoilt cases[] = {
        {"\"outvoted\"", "\"ill\"", "tasks[0].state"},
        {"\"Ola\"", "\"O\\u0000la\"", ""},
        {"\"Ola\"", "\"O\\nla\"", "tasks[0].volunteer_name"},
    };

    expect_like_any_message(DECODER(decode_task_page), body, LISTING_MAX, false);
    expect_round_trip_task_page(body);
    expect_refused(DECODER(decode_task_page), body, cases, COUNT(cases));
}

Test(listing, pages_of_hosts)
{
    CLEANUP(private_key_clear) struct private_key key = test_key(3);
    CLEANUP(freep)
    char *body = text_format("{\"hosts\":[{\"host\":1,\"key\":\"%s\",\"volunteer\":2,"
                             "\"platform\":\"x86_64-linux-gnu\",\"client\":\"dugnad-client 0.1\","
                             "\"last_seen_day\":20000,\"running\":1,\"agreed\":2,\"outvoted\":3,"
                             "\"errors\":4,\"credit\":5,\"refused\":{\"what\":\"keyring\","
                             "\"refusal\":\"keyring-rollback\",\"digest\":\"sha256:%064d\","
                             "\"day\":20000}}]}",
                             public_key_format(&key.public_key).text, 1);
    static const struct spoilt cases[] = {
        {"ed25519:", "", "hosts[0].key"},
        {"\"agreed\":2", "\"agreed\":\"2\"", "hosts[0].agreed"},
        {"keyring-rollback", "no-such-code", "hosts[0].refused.refusal"},
    };

    expect_like_any_message(DECODER(decode_host_page), body, LISTING_MAX, false);
    expect_round_trip_host_page(body);
    expect_refused(DECODER(decode_host_page), body, cases, COUNT(cases));
}
