/* db: what hosts told of having refused. */
#include "tests/unit/db/query_suite.h"

TestSuite(query_refused, .init = set_up, .fini = tear_down);

static bool see_refused(void *context, const struct refused_group *group)
{
    struct refused_group *groups = context;

    groups[rows++] = *group;
    return true;
}

static void tell_refused(size_t place, enum refused_kind what, struct digest digest, int64_t time_s)
{
    CLEANUP(work_set_clear) struct work_set set = {0};
    const struct work_request request = {.hosts = &site.hosts[place], .host_count = 1};
    struct host *host;

    MUST(store->begin(store, &err));
    MUST(store->work->load(store, &request, &set, &err));
    host = work_host(&set, site.hosts[place]);
    host->refused =
        (struct refused_thing){.what = what, .refusal = REFUSAL_KEYRING_ROLLBACK, .digest = digest};
    host->refused_s = time_s;
    host->is_changed = true;
    MUST(store->work->save(store, &set, &err));
    MUST(store->commit(store, &err));
}

Test(query_refused, hosts_that_refused_the_same_are_counted_together)
{
    struct refused_group groups[3];
    const struct digest keyring = site_digest(77);

    tell_refused(0, REFUSED_KEYRING, keyring, SITE_TIME_S);
    tell_refused(1, REFUSED_KEYRING, keyring, SITE_TIME_S + 1);
    tell_refused(2, REFUSED_ENVELOPE, site.variant_digest, SITE_TIME_S);
    MUST(store->query->refused(store, site.app_version, SITE_TIME_S, 3, see_refused, groups, &err));
    cr_assert(eq(int, rows, 2));
    cr_expect(eq(i64, groups[0].hosts, 2));
    cr_expect(eq(int, groups[0].thing.what, REFUSED_KEYRING));
    cr_expect(eq(int, groups[0].thing.refusal, REFUSAL_KEYRING_ROLLBACK));
    cr_expect(digest_equals(&groups[0].thing.digest, &keyring));
    cr_expect(digest_equals(&groups[1].thing.digest, &site.variant_digest));
    rows = 0;
    tell_refused(2, REFUSED_ENVELOPE, site_digest(78), SITE_TIME_S + 1);
    MUST(store->query->refused(store, site.app_version, SITE_TIME_S + 1, 3, see_refused, groups,
                               &err));
    cr_expect(eq(int, rows, 1), "an envelope of another app, and what is long past");
    cr_expect(eq(i64, groups[0].hosts, 1));
}
