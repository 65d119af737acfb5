/* server/engine: hosts that come to be known, and tokens. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "server/engine/state.h"
#include "tests/support/village.h"

static struct village village;

static void set_up(void)
{
    struct engine_config config = ENGINE_CONFIG_DEFAULT;

    config.ignores_free_space = true;
    config.enrolments_per_hour = 3;
    village_open(&village, &config);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(enrolments, .init = set_up, .fini = tear_down);

static struct command enrol(uint8_t key, uint8_t token, const char *prefix)
{
    struct command command = {.kind = COMMAND_ENROL,
                              .enrol = {.kind = HOST_NATIVE, .prefix = prefix}};

    memset(command.enrol.key.bytes, key, sizeof command.enrol.key.bytes);
    memset(command.enrol.token.bytes, token, sizeof command.enrol.token.bytes);
    (void)village_run(&village, &command);
    return command;
}

static struct command who(uint8_t token)
{
    struct command command = {.kind = COMMAND_CREDENTIAL};

    memset(command.credential.token.bytes, token, sizeof command.credential.token.bytes);
    (void)village_run(&village, &command);
    return command;
}

static bool is_published(uint8_t token)
{
    struct published_credential credential;
    struct digest digest;

    memset(digest.bytes, token, sizeof digest.bytes);
    return published_find_credential(engine_published(village.engine), &digest, village.env.now_s,
                                     &credential);
}

Test(enrolments, the_same_key_again_is_the_same_host)
{
    struct command first = enrol(1, 101, "192.0.2.0/24");
    struct command again = enrol(1, 101, "192.0.2.0/24");
    struct command other = enrol(2, 102, "192.0.2.0/24");

    cr_assert(eq(int, first.status, STATUS_OK));
    cr_assert(eq(int, again.status, STATUS_OK));
    cr_expect(eq(i64, first.enrol.next_visit, 1));
    cr_expect(eq(i64, again.enrol.host, first.enrol.host));
    cr_expect(other.enrol.host != first.enrol.host);
    cr_expect(eq(i64, other.enrol.volunteer, first.enrol.volunteer),
              "without an account, a prefix is one volunteer");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM journal WHERE kind = 20"), 2));
}

Test(enrolments, a_new_token_takes_the_place_of_the_old_one)
{
    (void)enrol(1, 101, "192.0.2.0/24");
    cr_expect(is_published(101));
    (void)enrol(1, 102, "192.0.2.0/24");
    cr_expect(is_published(102));
    cr_expect(zero(int, is_published(101)));
    cr_expect(eq(int, who(101).status, STATUS_UNAUTHORIZED));
    cr_expect(eq(int, who(102).status, STATUS_OK));
}

Test(enrolments, a_crowd_of_one_network_is_let_in_slowly)
{
    struct command turned_away, other;

    for (uint8_t i = 1; i <= 3; i++)
        cr_expect(eq(int, enrol(i, 100 + i, "192.0.2.0/24").status, STATUS_OK));
    turned_away = enrol(4, 104, "192.0.2.0/24");
    cr_expect(eq(int, turned_away.status, STATUS_LIMITED));
    cr_expect(turned_away.err.retry_after_s > 0 && turned_away.err.retry_after_s <= 3601);
    other = enrol(4, 104, "198.51.100.0/24");
    cr_expect(eq(int, other.status, STATUS_OK), "another network has its own budget");
    cr_expect(eq(int, enrol(1, 101, "192.0.2.0/24").status, STATUS_OK), "a known host is no crowd");
    village_pass(&village, 3600);
    cr_expect(eq(int, enrol(5, 105, "192.0.2.0/24").status, STATUS_OK));
}

Test(enrolments, an_account_has_a_budget_of_its_own)
{
    struct command account = {.kind = COMMAND_ACCOUNT, .account = {.key = {{9}}, .name = "Kari"}};
    struct command command = {.kind = COMMAND_ENROL,
                              .enrol = {.kind = HOST_NATIVE, .prefix = "192.0.2.0/24"}};

    cr_assert(eq(int, village_run(&village, &account), STATUS_OK));
    for (uint8_t i = 1; i <= 4; i++)
        (void)enrol(i, 100 + i, "192.0.2.0/24"); /* the neighbours spend theirs */
    command.enrol.account.bytes[0] = 9;
    for (uint8_t i = 1; i <= 3; i++) {
        command.enrol.key.bytes[0] = command.enrol.token.bytes[0] = i;
        cr_expect(eq(int, village_run(&village, &command), STATUS_OK));
    }
    command.enrol.key.bytes[0] = command.enrol.token.bytes[0] = 4;
    command.enrol.prefix = "198.51.100.0/24";
    cr_expect(eq(int, village_run(&village, &command), STATUS_LIMITED), "wherever it is");
}

static enum status enrol_number(int number, const char *prefix)
{
    struct command command = {.kind = COMMAND_ENROL,
                              .enrol = {.kind = HOST_NATIVE, .prefix = prefix}};

    memcpy(command.enrol.key.bytes, &number, sizeof number);
    memcpy(command.enrol.token.bytes, &number, sizeof number);
    return village_run(&village, &command);
}

Test(enrolments, newcomers_are_let_in_even_among_thousands_of_networks)
{
    for (int i = 1; i <= ENROLMENT_COUNTS_MAX; i++) {
        char prefix[32];

        (void)snprintf(prefix, sizeof prefix, "10.%d.%d.0/24", i / 256, i % 256);
        cr_assert(eq(int, enrol_number(i, prefix), STATUS_OK));
    }
    for (int i = 1; i <= 2; i++)
        cr_expect(eq(int, enrol_number(10000 + i, "192.0.2.0/24"), STATUS_OK));
    cr_expect(eq(int, enrol_number(10003, "192.0.2.0/24"), STATUS_LIMITED),
              "who took a place took over its count");
}

Test(enrolments, two_new_hosts_of_one_cycle_get_their_own_ids)
{
    struct command a = {
        .kind = COMMAND_ENROL,
        .enrol = {.kind = HOST_NATIVE, .prefix = "a", .key = {{1}}, .token = {{1}}}};
    struct command b = {
        .kind = COMMAND_ENROL,
        .enrol = {.kind = HOST_NATIVE, .prefix = "b", .key = {{2}}, .token = {{2}}}};
    struct command again = a;
    struct command *commands[] = {&a, &b, &again};

    engine_run(village.engine, commands, 3);
    cr_assert(eq(int, a.status, STATUS_OK));
    cr_assert(eq(int, b.status, STATUS_OK));
    cr_assert(eq(int, again.status, STATUS_OK));
    cr_expect(a.enrol.host != 0 && b.enrol.host != 0 && a.enrol.host != b.enrol.host);
    cr_expect(eq(i64, again.enrol.host, a.enrol.host));
}

Test(enrolments, hosts_without_accounts_are_one_volunteer_where_they_get_their_tasks)
{
    size_t home = village_join_from(&village, "192.0.2.0/24");
    size_t phone = village_join_from(&village, "198.51.100.0/24");
    size_t kari = village_join(&village);

    village_add_units(&village, 1, NULL);
    cr_assert(village_get(&village, home) != 0);
    village.hosts[phone].prefix = "192.0.2.0/24";
    cr_expect(eq(i64, village_get(&village, phone), 0), "it enrolled by phone and runs at home");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE prefix <> ''"), 1));
    cr_expect(village_get(&village, kari) != 0, "an account stands apart");
    village_add_units(&village, 1, NULL);
    village.hosts[phone].prefix = "203.0.113.0/24";
    cr_expect(village_get(&village, phone) != 0);
}

Test(enrolments, an_unknown_account_is_refused)
{
    struct command command = {
        .kind = COMMAND_ENROL,
        .enrol = {
            .kind = HOST_NATIVE, .prefix = "a", .key = {{1}}, .token = {{1}}, .account = {{9}}}};

    cr_expect(eq(int, village_run(&village, &command), STATUS_UNAUTHORIZED));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM host"), 0));
}

Test(enrolments, the_same_account_key_is_the_same_volunteer)
{
    struct command account = {.kind = COMMAND_ACCOUNT, .account = {.key = {{9}}, .name = "Kari"}};
    int64_t volunteer;

    cr_assert(eq(int, village_run(&village, &account), STATUS_OK));
    volunteer = account.account.volunteer;
    cr_assert(eq(int, village_run(&village, &account), STATUS_OK));
    cr_expect(eq(i64, account.account.volunteer, volunteer));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM volunteer"), 1));
}

Test(enrolments, a_host_may_get_its_account_later)
{
    struct command account = {.kind = COMMAND_ACCOUNT, .account = {.key = {{9}}, .name = "Kari"}};
    struct command first = enrol(1, 101, "192.0.2.0/24"), later = first;

    cr_assert(eq(int, village_run(&village, &account), STATUS_OK));
    later.enrol.account.bytes[0] = 9;
    cr_assert(eq(int, village_run(&village, &later), STATUS_OK));
    cr_expect(eq(i64, later.enrol.host, first.enrol.host));
    cr_expect(eq(i64, later.enrol.volunteer, account.account.volunteer));
}

Test(enrolments, the_key_of_a_withdrawn_host_is_gone)
{
    struct command first = enrol(1, 101, "192.0.2.0/24");

    village_change(&village, "UPDATE host SET withdrawn = 1, version = version + 1");
    cr_assert(eq(int, first.status, STATUS_OK));
    cr_expect(eq(int, enrol(1, 101, "192.0.2.0/24").status, STATUS_GONE));
}

Test(enrolments, a_failing_step_enrols_nobody)
{
    int step = 1;

    for (; step < 20; step++) {
        village.store.steps_to_failure = step;
        if (enrol(1, 101, "192.0.2.0/24").status == STATUS_OK)
            break;
        cr_expect(eq(i64, village_count(&village, "count(*) FROM host"), 0), "step %d", step);
        cr_expect(zero(int, is_published(101)), "step %d", step);
        village_pass(&village, 3600); /* attempts spend the budget */
    }
    cr_expect(step > 4 && step < 20);
}

Test(enrolments, tokens_of_operators_and_accounts_are_told_apart)
{
    struct command account = {.kind = COMMAND_ACCOUNT, .account = {.name = "Kari"}};
    struct credential operator_token = {.kind = CREDENTIAL_OPERATOR, .role = ROLE_OPERATOR};
    struct credential reader = {.kind = CREDENTIAL_OPERATOR, .role = ROLE_READER};
    int64_t id;

    memset(account.account.key.bytes, 50, DIGEST_BYTES);
    cr_assert(eq(int, village_run(&village, &account), STATUS_OK));
    memset(operator_token.hash.bytes, 51, DIGEST_BYTES);
    memset(reader.hash.bytes, 52, DIGEST_BYTES);
    operator_token.expires_s = village.env.now_s + 10;
    cr_assert(eq(int,
                 village.store.store->publish->credential_add(village.store.store, &operator_token,
                                                              &id, NULL),
                 STATUS_OK));
    cr_assert(eq(
        int, village.store.store->publish->credential_add(village.store.store, &reader, &id, NULL),
        STATUS_OK));
    cr_expect(eq(int, who(50).credential.credential.kind, TOKEN_ACCOUNT));
    cr_expect(eq(int, who(51).credential.credential.kind, TOKEN_OPERATOR));
    cr_expect(eq(int, who(52).credential.credential.kind, TOKEN_READER));
    cr_expect(is_published(51));
    village_pass(&village, 11);
    cr_expect(zero(int, is_published(51)), "it has expired");
    cr_expect(eq(int, who(51).status, STATUS_UNAUTHORIZED));
}
