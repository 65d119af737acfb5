/* db/publish: what a site says of itself and what its operators sign, by struct store alone. */
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/unit/db/publish_suite.h"

Test(publish, a_site_remembers_its_facts)
{
    struct site facts;

    MUST(publish->site_load(store, &facts, &err));
    cr_expect(eq(str, facts.name, "Test site"));
    cr_expect(eq(i64, facts.server, 1));
    cr_expect(eq(i64, facts.incarnation, 1));
    facts.up_s = 77;
    facts.committed_s = 88;
    facts.is_clock_refused = true;
    facts.work_mark = 99;
    facts.looks_restored = 1;
    facts.incarnation = 2;
    (void)text_fit(facts.name, sizeof facts.name, "Renamed");
    MUST(publish->site_save(store, &facts, &err));
    facts = (struct site){0};
    MUST(publish->site_load(store, &facts, &err));
    cr_expect(eq(str, facts.name, "Renamed"));
    cr_expect(eq(i64, facts.up_s, 77));
    cr_expect(eq(i64, facts.committed_s, 88));
    cr_expect(eq(i64, facts.created_s, SITE_TIME_S));
    cr_expect(eq(i64, facts.incarnation, 2));
    cr_expect(facts.is_clock_refused);
    cr_expect(eq(i64, facts.work_mark, 99));
    cr_expect(eq(i64, facts.looks_restored, 1));
    cr_expect(digest_equals(&facts.project, &(struct digest){0}) == false);
}

Test(publish, a_database_without_a_site_says_so)
{
    char name[DATABASE_NAME_MAX];
    struct store *empty = NULL;
    struct site facts;

    database_name(name);
    MUST(store_open(name, &empty, &err));
    FAILS(empty->publish->site_load(empty, &facts, &err), NOT_FOUND);
    store_close(empty);
}

static enum status add_keyring(int64_t version, uint64_t digest, bool is_root_change)
{
    const struct keyring_record record = {.version = version,
                                          .digest = site_digest(digest),
                                          .is_root_change = is_root_change,
                                          .envelope = span_of("{}")};

    return publish->keyring_add(store, &record, &is_new, &err);
}

static bool list_keyring(void *context, const struct keyring_view *keyring)
{
    char *list = context;

    list[strlen(list)] = (char)('0' + keyring->version);
    return true;
}

Test(publish, keyrings_follow_each_other_and_the_chain_is_kept)
{
    char list[16] = "";
    struct site facts;

    FAILS(add_keyring(3, 103, false), CONFLICT);
    MUST(add_keyring(1, 1, true));
    cr_expect(not(is_new), "the same again");
    FAILS(add_keyring(1, 101, true), CONFLICT);
    MUST(add_keyring(2, 102, false));
    cr_expect(is_new);
    MUST(add_keyring(3, 103, true));
    MUST(add_keyring(4, 104, false));
    MUST(add_keyring(5, 105, false));
    MUST(store->query->keyrings(store, 0, list_keyring, list, &err));
    cr_expect(eq(str, list, "135"));
    MUST(store->query->keyrings(store, 4, list_keyring, list, &err));
    cr_expect(eq(str, list, "1354"));
    MUST(publish->site_load(store, &facts, &err));
    cr_expect(digest_equals(&facts.project, &(struct digest){0}) == false);
    cr_expect(digest_compare(&facts.project, &(const struct digest[]){site_digest(1)}[0]) == 0);
}

static enum status add_freshness(int64_t sequence, uint64_t digest)
{
    const struct freshness_record record = {
        .sequence = sequence, .digest = site_digest(digest), .envelope = span_of("{}")};

    return publish->freshness_add(store, &record, &is_new, &err);
}

static enum status add_first_freshness(int64_t sequence, uint64_t digest)
{
    const struct freshness_record record = {.sequence = sequence,
                                            .digest = site_digest(digest),
                                            .begins_anew = true,
                                            .envelope = span_of("{}")};

    return publish->freshness_add(store, &record, &is_new, &err);
}

static enum status add_notice(uint64_t digest, int64_t until_s)
{
    const struct notice_record record = {
        .digest = site_digest(digest), .until_s = until_s, .time_s = 1, .envelope = span_of("{}")};

    return publish->notice_add(store, &record, &is_new, &err);
}

static bool list_news(void *context, const struct news_view *news)
{
    char *list = context;
    char item[32];

    (void)snprintf(item, sizeof item, news->kind == NEWS_FRESHNESS ? "f%lld " : "n%lld ",
                   (long long)(news->kind == NEWS_FRESHNESS ? news->sequence : news->expires_s));
    strcat(list, item);
    return true;
}

/* Of a stolen key, say, that was revoked since. */
Test(publish, a_freshness_that_holds_no_more_is_in_nobodys_way)
{
    char list[256] = "";

    MUST(add_freshness(5, 200));
    MUST(add_freshness(9007199254740991, 201));
    FAILS(add_freshness(6, 202), CONFLICT);
    MUST(add_first_freshness(6, 202));
    cr_expect(is_new);
    MUST(store->query->news(store, 100, list_news, list, &err));
    cr_expect(eq(str, list, "f6 "));
}

Test(publish, only_the_newest_freshness_counts_and_notices_end)
{
    char list[256] = "";

    MUST(store->query->news(store, 100, list_news, list, &err));
    cr_expect(eq(str, list, ""));
    MUST(add_freshness(5, 200));
    MUST(add_freshness(5, 200));
    cr_expect(not(is_new));
    FAILS(add_freshness(5, 201), CONFLICT);
    FAILS(add_freshness(4, 202), CONFLICT);
    MUST(add_freshness(9, 203));
    MUST(add_notice(300, 100));
    MUST(add_notice(301, 101));
    MUST(add_notice(301, 101));
    cr_expect(not(is_new));
    for (uint64_t i = 0; i < 20; i++)
        MUST(add_notice(400 + i, 90));
    MUST(store->query->news(store, 100, list_news, list, &err));
    cr_expect(eq(str, list, "f9 n101 "));
    list[0] = '\0';
    MUST(store->query->news(store, 0, list_news, list, &err));
    cr_expect(eq(sz, strlen(list), strlen("f9 ") + 16 * strlen("n90 ")), "at most 16 of them");
}

Test(publish, an_app_version_is_known_by_digest_and_its_name_is_taken)
{
    struct app_version_record record = {.digest = site.app_version_digest,
                                        .name = "count",
                                        .version = "1.0",
                                        .envelope = span_of("{}")};
    int64_t id = 0;

    MUST(publish->app_version_add(store, &record, &id, &is_new, &err));
    cr_expect(not(is_new));
    cr_expect(eq(i64, id, site.app_version));
    record.digest = site_digest(20);
    FAILS(publish->app_version_add(store, &record, &id, &is_new, &err), CONFLICT);
    record.version = "1.1";
    MUST(publish->app_version_add(store, &record, &id, &is_new, &err));
    cr_expect(is_new && id != site.app_version);
}

Test(publish, a_variant_needs_its_app_version_and_its_files)
{
    const struct digest files[] = {site_digest(4), site_digest(30)};
    const struct file_record file = {.digest = files[1], .size_bytes = 1, .time_s = 1};
    struct variant_record record = {.digest = site_digest(31),
                                    .app_version = 99,
                                    .platform = "aarch64-linux",
                                    .class_name = "c",
                                    .runner = "native",
                                    .files = files,
                                    .file_count = 2,
                                    .envelope = span_of("{}")};
    int64_t id = 0;

    FAILS(publish->variant_add(store, &record, &id, &is_new, &err), NOT_FOUND);
    record.app_version = site.app_version;
    FAILS(publish->variant_add(store, &record, &id, &is_new, &err), NOT_FOUND);
    cr_expect(ne(ptr, strstr(err.text, digest_format(&files[1]).text), NULL), "%s", err.text);
    txn_end(&txn); /* what a failure leaves is rolled back */
    MUST(txn_begin(&txn, store, &err));
    MUST(publish->file_add(store, &file, &is_new, &err));
    MUST(publish->variant_add(store, &record, &id, &is_new, &err));
    cr_expect(is_new);
    MUST(publish->variant_add(store, &record, &id, &is_new, &err));
    cr_expect(not(is_new));
}

static bool show_envelope(void *context, const struct digest *digest, struct span envelope)
{
    char *list = context;

    (void)digest;
    strncat(list, envelope.bytes, envelope.length);
    return true;
}

Test(publish, another_envelope_takes_the_place_of_an_app_versions_or_variants)
{
    const struct digest unknown = site_digest(99);
    const struct digest both[] = {site.app_version_digest, site.variant_digest};
    char list[64] = "";

    FAILS(publish->app_envelope_replace(store, &unknown, span_of("{}"), &err), NOT_FOUND);
    MUST(publish->app_envelope_replace(store, &both[0], span_of("{\"a\":1}"), &err));
    MUST(store->query->app_envelopes(store, &both[0], 1, show_envelope, list, &err));
    cr_expect(eq(str, list, "{\"a\":1}"));
    list[0] = '\0';
    MUST(publish->app_envelope_replace(store, &both[1], span_of("{\"v\":1}"), &err));
    MUST(store->query->app_envelopes(store, &both[1], 1, show_envelope, list, &err));
    cr_expect(eq(str, list, "{\"v\":1}"));
}
