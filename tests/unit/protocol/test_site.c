/* What a site says of itself: project, bulletin, problems, answers to what was published. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "protocol/bulletin.h"
#include "protocol/problem.h"
#include "protocol/project.h"
#include "protocol/published.h"
#include "tests/support/messages.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static enum status decode_project(const char *body, size_t length, struct error *err)
{
    CLEANUP(project_clear) struct project project = {0};

    return project_decode(body, length, &project, err);
}

static char *project_text(void)
{
    CLEANUP(freep) char *envelope = test_envelope_text("keyring", "{}", 0);

    return text_format("{\"name\":\"Grid\",\"project\":\"" DIGEST_A
                       "\",\"keyrings\":[%s],\"freshness\":null,\"protocol\":[1],\"time\":"
                       "1700000000,\"upload_max\":4096}",
                       envelope);
}

Test(project, is_read_and_written_as_it_was)
{
    CLEANUP(project_clear) struct project project = {0};
    CLEANUP(freep) char *body = project_text(), *again = NULL;

    expect_like_any_message(DECODER(decode_project), body, PROJECT_MAX, false);
    cr_assert(eq(int, project_decode(body, strlen(body), &project, NULL), STATUS_OK));
    cr_expect(project.freshness == NULL);
    cr_expect(project_speaks(&project, 1) && !project_speaks(&project, 2));
    again = project_encode(&project);
    cr_expect(eq(str, again, body));
}

Test(project, an_unclaimed_site_has_neither_id_nor_keyrings)
{
    static const char body[] =
        "{\"name\":\"Grid\",\"project\":null,\"keyrings\":[],"
        "\"freshness\":null,\"protocol\":[1],\"time\":1700000000,\"upload_max\":4096}";
    static const struct spoilt cases[] = {{"null", "\"" DIGEST_A "\"", "keyrings"}};
    CLEANUP(project_clear) struct project project = {0};
    CLEANUP(freep) char *again = NULL;

    cr_assert(eq(int, project_decode(body, strlen(body), &project, NULL), STATUS_OK));
    cr_expect(digest_is_none(&project.project));
    again = project_encode(&project);
    cr_expect(eq(str, again, (char *)body));
    expect_refused(DECODER(decode_project), body, cases, 1);
}

Test(project, each_refusal_names_the_member)
{
    static const struct spoilt cases[] = {
        {"\"Grid\"", "7", "name"},
        {"\"" DIGEST_A "\"", "\"sha256:zz\"", "project"},
        {"\"keyrings\":[", "\"keyrings\":[7,", "keyrings"},
        {"\"protocol\":[1]", "\"protocol\":[]", "protocol"},
        {"\"protocol\":[1]", "\"protocol\":[0]", "protocol[0]"},
        {"\"freshness\":null", "\"freshness\":[]", "freshness"},
    };
    CLEANUP(freep) char *body = project_text();

    expect_refused(DECODER(decode_project), body, cases, COUNT(cases));
}

static enum status decode_bulletin(const char *body, size_t length, struct error *err)
{
    CLEANUP(bulletin_clear) struct bulletin bulletin = {0};

    return bulletin_decode(body, length, &bulletin, err);
}

Test(bulletin, carries_freshness_and_notices)
{
    static const struct spoilt cases[] = {
        {"\"keyring_version\":3", "\"keyring_version\":-3", "keyring_version"},
        {"\"notices\":[", "\"notices\":[{},", "notices"},
        {"\"mark\":9", "\"mark\":-9", "mark"},
        {"\"within_s\":5", "\"within_s\":\"5\"", "within_s"},
    };
    CLEANUP(freep) char *envelope = test_envelope_text("freshness", "{}", 0);
    CLEANUP(freep)
    char *body = text_format("{\"freshness\":%s,\"keyring_version\":3,\"notices\":[%s],"
                             "\"calls\":[],\"client\":null,"
                             "\"work\":{\"mark\":9,\"look_s\":60,\"within_s\":5}}",
                             envelope, envelope);
    CLEANUP(bulletin_clear) struct bulletin bulletin = {0};
    CLEANUP(freep) char *again = NULL;

    expect_like_any_message(DECODER(decode_bulletin), body, BULLETIN_MAX, false);
    expect_refused(DECODER(decode_bulletin), body, cases, COUNT(cases));
    cr_assert(eq(int, bulletin_decode(body, strlen(body), &bulletin, NULL), STATUS_OK));
    cr_expect(eq(str, bulletin.freshness, envelope));
    cr_expect(eq(i64, bulletin.work.mark, 9));
    again = bulletin_encode(&bulletin);
    cr_expect(eq(str, again, body));
}

static enum status decode_problem(const char *body, size_t length, struct error *err)
{
    struct problem problem;

    return problem_decode(body, length, &problem, err);
}

Test(problem, tells_status_words_and_when_to_come_back)
{
    struct error err = {0};
    struct problem problem = {0};
    CLEANUP(freep) char *body = NULL;

    error_set(&err, STATUS_LIMITED, "too many \"visits\"");
    error_code(&err, "rate");
    error_detail(&err, "a secret path");
    error_retry_after(&err, 30);
    body = problem_encode(&err);
    expect_like_any_message(DECODER(decode_problem), body, PROBLEM_MAX, false);
    cr_assert(eq(int, problem_decode(body, strlen(body), &problem, NULL), STATUS_OK));
    cr_expect(eq(int, (int)problem.status, STATUS_LIMITED));
    cr_expect(eq(int, problem.http, 429));
    cr_expect(eq(str, problem.detail, "too many \"visits\""));
    cr_expect(eq(str, problem.code, "rate"));
    cr_expect(eq(i64, problem.retry_after_s, 30));
    cr_expect(strstr(body, "secret") == NULL);
}

Test(problem, words_for_terminals_are_made_harmless_and_waits_are_clamped)
{
    static const char body[] =
        "{\"type\":\"later-than-us\",\"title\":\"a\\u001b[2Jb\",\"status\":503,"
        "\"retry_after_s\":31536000}";
    struct problem problem = {0};

    cr_assert(eq(int, problem_decode(body, strlen(body), &problem, NULL), STATUS_OK));
    cr_expect(eq(int, (int)problem.status, STATUS_COUNT));
    cr_expect(eq(str, problem.detail, "a?[2Jb"));
    cr_expect(eq(i64, problem.retry_after_s, 86400));
}

static enum status decode_freshness(const char *body, size_t length, struct error *err)
{
    struct published published;

    return published_decode(body, length, PUBLISHED_FRESHNESS, &published, err);
}

static enum status decode_units(const char *body, size_t length, struct error *err)
{
    struct units_received units;

    return units_received_decode(body, length, &units, err);
}

Test(published, each_answer_says_what_was_taken)
{
    for (int kind = PUBLISHED_KEYRING; kind <= PUBLISHED_VARIANT; kind++) {
        struct published sent = {.kind = kind}, got;
        CLEANUP(freep) char *body = NULL, *again = NULL;

        sent.number = 5;
        cr_assert(digest_parse(DIGEST_A, &sent.digest));
        body = published_encode(&sent);
        cr_assert(eq(int, published_decode(body, strlen(body), kind, &got, NULL), STATUS_OK));
        again = published_encode(&got);
        cr_expect(eq(str, again, body));
    }
    expect_like_any_message(DECODER(decode_freshness), "{\"sequence\":5}", PUBLISHED_MAX, false);
    expect_like_any_message(DECODER(decode_units), "{\"received\":5,\"new\":3,\"known\":2}",
                            PUBLISHED_MAX, false);
    cr_expect(eq(int, decode_freshness("{\"sequence\":0}", 14, NULL), STATUS_INVALID));
}
