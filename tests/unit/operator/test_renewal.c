/* operator/next_keyring: a keyring is renewed before its 400 days end, without being asked. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/support/desk.h"
#include "work-units/keyring.h"

#define DAYS(n) (INT64_C(86400) * (n))

TestSuite(renewal, .init = desk_set_up, .fini = desk_tear_down, .timeout = 60);

static bool says(const char *words)
{
    return strstr(desk_said, words) != NULL;
}

static void read_newest(struct keyring *ret_keyring)
{
    const char *text = desk_site.keyrings.texts[desk_site.keyrings.count - 1];
    CLEANUP(envelope_clear) struct envelope envelope = {0};

    cr_assert(eq(int, envelope_decode(text, strlen(text), ENVELOPE_KEYRING_MAX, &envelope, NULL),
                 STATUS_OK));
    cr_assert(eq(int, keyring_decode(envelope.payload, envelope.payload_length, ret_keyring, NULL),
                 STATUS_OK));
}

Test(renewal, a_keyring_that_is_valid_for_long_is_left_alone)
{
    desk_env.now_s += DAYS(299);
    cr_assert(eq(int, RUN("key", "publish"), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(sz, desk_site.keyrings.count, 1));
    cr_expect(not(says("renewed")), "%s", desk_said);
}

Test(renewal, one_that_ends_within_a_hundred_days_is_renewed_once_with_its_publishers)
{
    CLEANUP(keyring_clear) struct keyring keyring = {0};

    desk_env.now_s += DAYS(301);
    cr_assert(eq(int, RUN("key", "publish"), EXIT_DONE), "%s", desk_said);
    cr_expect(says("Keyring 1, valid until"), "%s", desk_said);
    cr_expect(says("renewed by keyring 2"), "%s", desk_said);
    cr_assert(eq(sz, desk_site.keyrings.count, 2));
    read_newest(&keyring);
    cr_expect(eq(i64, keyring.expires_s, desk_env.now_s + DAYS(400)));
    for (size_t i = 0; i < keyring.publisher_count; i++)
        cr_expect(eq(i64, keyring.publishers[i].not_after_s, keyring.expires_s));
    cr_assert(eq(int, RUN("key", "publish"), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(sz, desk_site.keyrings.count, 2));
}

Test(renewal, one_that_has_ended_can_still_be_renewed)
{
    desk_env.now_s += DAYS(450);
    cr_assert(eq(int, RUN("key", "publish"), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(sz, desk_site.keyrings.count, 2));
}

Test(renewal, an_answer_that_was_lost_makes_no_second_one)
{
    desk_env.now_s += DAYS(301);
    desk_site.cut = CUT_ANSWER;
    desk_site.cut_after = desk_site.requests + 1; /* the project; then the keyring's answer */
    cr_expect(eq(int, RUN("key", "publish"), EXIT_UNREACHABLE), "%s", desk_said);
    desk_site.cut = CUT_NEVER;
    cr_expect(eq(int, RUN("key", "publish"), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(sz, desk_site.keyrings.count, 2));
}

Test(renewal, status_warns_when_the_end_is_near)
{
    submit_three();
    desk_env.now_s += DAYS(339);
    (void)RUN("status", "b");
    cr_expect(not(says("WARNING")), "%s", desk_said);
    desk_env.now_s += DAYS(2);
    (void)RUN("status", "b");
    cr_expect(says("WARNING: keyring 1") && says("key publish"), "%s", desk_said);
    (void)RUN("status", "b", "--json");
    cr_expect(eq(str, desk_said, ""));
    (void)RUN("submit", "app", "--range", "0..3", "--name", "late");
    cr_expect(says("WARNING: keyring 1") && says("key publish"), "%s", desk_said);
}
