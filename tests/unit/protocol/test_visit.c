/* protocol/visit: what is not exactly a visit's statement is refused. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "protocol/visit.h"
#include "tests/support/messages.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define HEAD         "{\"type\":\"" VISIT_TYPE "\",\"project\":\"" DIGEST_A "\",\"visit\":7,\"finished\":["
#define OUTPUT       "{\"name\":\"out\",\"digest\":\"" DIGEST_B "\",\"size\":5}"
#define DONE         "{\"task\":12,\"unit\":\"" DIGEST_A "\",\"outcome\":\"done\",\"outputs\":[" OUTPUT "]}"
#define FAILED       "{\"task\":13,\"unit\":\"" DIGEST_A "\",\"outcome\":\"error\",\"outputs\":[]}"
#define BODY         HEAD DONE "," FAILED "]}"

static enum status decode(const char *body, size_t length, struct error *err)
{
    CLEANUP(visit_clear) struct visit visit = {0};

    return visit_decode(body, length, &visit, err);
}

Test(visit, a_statement_is_read_and_written_as_it_was)
{
    CLEANUP(visit_clear) struct visit visit = {0};
    CLEANUP(freep) char *again = NULL;

    cr_assert(eq(int, visit_decode(BODY, strlen(BODY), &visit, NULL), STATUS_OK));
    cr_expect(eq(i64, visit.number, 7));
    cr_expect(eq(sz, visit.finished_count, 2));
    cr_expect(eq(int, (int)visit.finished[0].outcome, VISIT_DONE));
    cr_expect(eq(i64, visit.finished[0].outputs.outputs[0].size, 5));
    cr_expect(visit_find_task(&visit, 13) == &visit.finished[1]);
    cr_expect(visit_find_task(&visit, 14) == NULL);
    again = visit_encode(&visit);
    cr_expect(eq(str, again, (char *)BODY));
}

Test(visit, is_strict_and_bounded)
{
    expect_like_any_message(DECODER(decode), BODY, VISIT_PAYLOAD_MAX, true);
}

Test(visit, each_refusal_names_the_member)
{
    static const struct spoilt cases[] = {
        {VISIT_TYPE, "another", "type"},
        {"\"visit\":7", "\"visit\":0", "visit"},
        {"\"visit\":7", "\"visit\":9007199254740992", ""},
        {"\"visit\":7", "\"visit\":7.0", ""},
        {"\"visit\":7", "\"visit\":7,\"visit\":7", ""},
        {"\"visit\":7,", "", "visit"},
        {"project\":\"" DIGEST_A, "project\":\"sha256:AB", "project"},
        {"\"task\":12", "\"task\":-1", "finished[0].task"},
        {"\"task\":13", "\"task\":12", "finished[1].task"},
        {"\"task\":12", "\"task\":12,\"x\":1", "finished[0].x"},
        {"\"done\"", "\"perhaps\"", "finished[0].outcome"},
        {"\"done\"", "\"error\"", "finished[0].outputs"},
        {"\"error\"", "\"done\"", "finished[1].outputs"},
        {OUTPUT, "", "finished[0].outputs"},
        {OUTPUT, OUTPUT "," OUTPUT, "outputs[1].name"},
        {"\"out\"", "\"../out\"", "outputs[0].name"},
        {"\"size\":5", "\"size\":-5", "outputs[0].size"},
        {"\"size\":5", "\"size\":5,\"more\":1", "outputs[0].more"},
    };

    expect_refused(DECODER(decode), BODY, cases, COUNT(cases));
}

Test(visit, it_names_at_most_so_many_tasks)
{
    static char body[VISIT_PAYLOAD_MAX];

    for (int count = VISIT_FINISHED_MAX; count <= VISIT_FINISHED_MAX + 1; count++) {
        int used = snprintf(body, sizeof body, HEAD);
        struct error err = {0};

        for (int i = 1; i <= count; i++)
            used += snprintf(body + used, sizeof body - used,
                             "%s{\"task\":%d,\"unit\":\"" DIGEST_A
                             "\",\"outcome\":\"abandoned\",\"outputs\":[]}",
                             i == 1 ? "" : ",", i);
        used += snprintf(body + used, sizeof body - used, "]}");
        cr_expect(eq(int, decode(body, used, &err),
                     count <= VISIT_FINISHED_MAX ? STATUS_OK : STATUS_INVALID));
        if (count > VISIT_FINISHED_MAX)
            cr_expect(strstr(err.text, "finished") != NULL, "%s", err.text);
    }
}

Test(visit, a_refused_one_leaves_the_result_alone)
{
    struct visit visit = {.number = 99};

    cr_expect(eq(int, visit_decode("{}", 2, &visit, NULL), STATUS_INVALID));
    cr_expect(eq(i64, visit.number, 99));
}
