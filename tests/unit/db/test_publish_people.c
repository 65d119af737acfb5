/* db/publish: volunteers by their addresses, tokens, and what tasks tell of machines. */
#include <string.h>

#include "tests/unit/db/publish_suite.h"

Test(publish, an_address_prefix_is_one_volunteer)
{
    struct volunteer volunteer;
    int64_t a = 0, b = 0, c = 0;

    MUST(publish->volunteer_of_prefix(store, "192.0.2.0/24", 5, &a, &err));
    MUST(publish->volunteer_of_prefix(store, "192.0.2.0/24", 6, &b, &err));
    MUST(publish->volunteer_of_prefix(store, "2001:db8::/56", 6, &c, &err));
    cr_expect(eq(i64, a, b));
    cr_expect(ne(i64, a, c));
    MUST(publish->volunteer_load(store, a, &volunteer, &err));
    cr_expect(eq(int, (int)volunteer.kind, VOLUNTEER_PREFIX));
    cr_expect(eq(i64, volunteer.created_s, 5));
    MUST(publish->volunteer_load(store, site.volunteers[1], &volunteer, &err));
    cr_expect(eq(str, volunteer.name, "volunteer 2"));
    FAILS(publish->volunteer_load(store, 999, &volunteer, &err), NOT_FOUND);
}

Test(publish, tokens_are_found_by_hash_and_revoked_once)
{
    const struct credential account = {.kind = CREDENTIAL_ACCOUNT,
                                       .hash = site_digest(70),
                                       .volunteer = site.volunteers[0],
                                       .created_s = 1};
    struct credential operator_token = {.kind = CREDENTIAL_OPERATOR,
                                        .role = ROLE_READER,
                                        .hash = site_digest(71),
                                        .label = "laptop",
                                        .expires_s = 9};
    struct credential found, list[4];
    int64_t id = 0;
    size_t count = 0;

    MUST(publish->credential_add(store, &account, &id, &err));
    MUST(publish->credential_add(store, &operator_token, &id, &err));
    FAILS(publish->credential_find(store, &(struct digest){.bytes = {1}}, &found, &err), NOT_FOUND);
    MUST(publish->credential_find(store, &operator_token.hash, &found, &err));
    cr_expect(eq(i64, found.id, id));
    cr_expect(eq(int, (int)found.role, ROLE_READER));
    cr_expect(eq(str, found.label, "laptop"));
    cr_expect(eq(i64, found.expires_s, 9));
    MUST(publish->credential_find(store, &account.hash, &found, &err));
    cr_expect(eq(i64, found.volunteer, site.volunteers[0]));

    MUST(publish->credentials(store, CREDENTIAL_OPERATOR, 0, list, 4, &count, &err));
    cr_expect(eq(sz, count, 1));
    MUST(publish->credentials(store, CREDENTIAL_OPERATOR, id, list, 4, &count, &err));
    cr_expect(zero(sz, count));
    MUST(publish->credential_revoke(store, id, 55, &err));
    MUST(publish->credential_revoke(store, id, 66, &err));
    MUST(publish->credential_find(store, &operator_token.hash, &found, &err));
    cr_expect(eq(i64, found.revoked_s, 55));
    FAILS(publish->credential_revoke(store, 999, 66, &err), NOT_FOUND);
    MUST(publish->credential_find(store, &account.hash, &found, &err));
    FAILS(publish->credential_revoke(store, found.id, 66, &err), NOT_FOUND); /* is no token */
    FAILS(publish->credential_add(store, &account, &id, &err), CONFLICT);
}

static bool see_stderr(void *context, const struct unit_view *view)
{
    *(size_t *)context += view->reports[0].stderr_tail.length;
    return true;
}

/* Of the second unit, whose one task failed. */
static size_t stderr_length(void)
{
    size_t length = 0;

    MUST(store->query->unit(store, &site.unit_digests[1], see_stderr, &length, &err));
    return length;
}

static size_t prefixes_of(size_t unit)
{
    CLEANUP(work_set_clear) struct work_set set = {0};
    CLEANUP(txn_end) struct txn own = {0};
    const struct work_request request = {.units = &site.units[unit], .unit_count = 1};
    size_t count = 0;

    MUST(txn_begin(&own, store, &err));
    MUST(store->work->load(store, &request, &set, &err));
    for (size_t i = 0; i < set.units[0].task_count; i++)
        count += *set.units[0].tasks[i].prefix != '\0';
    return count;
}

/* In steps as small as they can be. */
static int64_t forget_details(int64_t before_s)
{
    int64_t last = 0, count = 0, sum = 0;

    do {
        MUST(publish->details_forget(store, last, before_s, 1, &count, &last, &err));
        sum += count;
    } while (last != 0);
    return sum;
}

Test(publish, old_tasks_tell_nothing_of_a_machine_that_no_open_unit_needs)
{
    txn_end(&txn);
    site_play(&site);
    cr_expect(zero(i64, forget_details(SITE_TIME_S + 100)), "nothing is old");
    cr_expect(eq(sz, stderr_length(), strlen("no such input\n")));
    cr_expect(eq(sz, prefixes_of(0), 2));
    cr_expect(eq(i64, forget_details(SITE_TIME_S + 101), 3));
    cr_expect(zero(sz, stderr_length()));
    cr_expect(zero(sz, prefixes_of(0)), "decided");
    cr_expect(eq(sz, prefixes_of(1), 1), "its next copy goes elsewhere");
    cr_expect(zero(i64, forget_details(SITE_TIME_S + 101)), "once");
}
