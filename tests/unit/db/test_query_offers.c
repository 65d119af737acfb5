/* db/query: what the hosts that could run an app offer. */
#include "tests/unit/db/query_suite.h"

TestSuite(query_offers, .init = set_up, .fini = tear_down);

static bool keep_offer(void *context, const struct offer_group *group)
{
    struct offer_group *kept = context;

    rows++;
    cr_expect(eq(str, (char *)group->layers, " landlock seccomp "));
    *kept = *group;
    kept->layers = NULL;
    return true;
}

Test(query_offers, hosts_that_could_run_an_app_are_told_with_the_most_that_they_offer)
{
    const struct host_offer least = {.memory_bytes = 1, .disk_bytes = 1};
    const struct host_offer much = {.memory_bytes = INT64_C(3) << 30, .disk_bytes = 1};
    struct offer_group group = {.hosts = 0};

    MUST(store->query->offers(store, site.app_version, SITE_TIME_S, &least, keep_offer, &group,
                              &err));
    cr_expect(eq(int, rows, 1));
    cr_expect(eq(i64, group.hosts, 3));
    cr_expect(eq(i64, group.roomy, 3));
    cr_expect(eq(i64, group.cores, 4));
    cr_expect(eq(i64, group.memory_bytes, INT64_C(2) << 30));
    cr_expect(eq(i64, group.disk_bytes, INT64_C(9) << 30));
    MUST(store->query->offers(store, site.app_version, SITE_TIME_S, &much, keep_offer, &group,
                              &err));
    cr_expect(zero(i64, group.roomy));
    rows = 0;
    MUST(store->query->offers(store, site.app_version, SITE_TIME_S + 1, &least, keep_offer, &group,
                              &err));
    cr_expect(eq(int, rows, 0));
}

Test(query_offers, a_host_is_told_with_what_it_offered_last)
{
    CLEANUP(work_set_clear) struct work_set set = {0};
    const struct work_request request = {.hosts = &site.hosts[0], .host_count = 1};
    const struct host_offer least = {.memory_bytes = 1, .disk_bytes = 1};
    struct offer_group group = {.hosts = 0};
    struct host *host;

    MUST(store->begin(store, &err));
    MUST(store->work->load(store, &request, &set, &err));
    host = work_host(&set, site.hosts[0]);
    host->offer.cores = 16;
    host->offer.memory_bytes = INT64_C(8) << 30;
    host->offer.disk_bytes = 0;
    host->is_changed = true;
    MUST(store->work->save(store, &set, &err));
    MUST(store->commit(store, &err));
    MUST(store->query->offers(store, site.app_version, SITE_TIME_S, &least, keep_offer, &group,
                              &err));
    cr_expect(eq(i64, group.hosts, 3));
    cr_expect(eq(i64, group.roomy, 2));
    cr_expect(eq(i64, group.cores, 16));
    cr_expect(eq(i64, group.memory_bytes, INT64_C(8) << 30));
    cr_expect(eq(i64, group.disk_bytes, INT64_C(9) << 30));
}
