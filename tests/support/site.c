#include "tests/support/site.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

enum { UNIT_SEED = 0x1000000, KEY_SEED = 0x2000000, TOKEN_SEED = 0x3000000 };

void site_must(enum status status, const struct error *err, const char *call)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "%s: %s: %s (%s)\n", call, status_facts(status)->name, err->text, err->detail);
    abort();
}

/* Spread over the bytes, so that the numbers do not come in the order of the digests. */
static void fill(uint8_t *bytes, size_t count, uint64_t number)
{
    for (size_t i = 0; i < count; i++) {
        number = number * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (uint8_t)(number >> 56);
    }
}

struct digest site_digest(uint64_t number)
{
    struct digest digest;

    fill(digest.bytes, sizeof digest.bytes, number);
    return digest;
}

struct public_key site_key(uint64_t number)
{
    struct public_key key;

    fill(key.bytes, sizeof key.bytes, number + KEY_SEED);
    return key;
}

static struct span text_span(const char *text)
{
    return (struct span){.bytes = text, .length = strlen(text)};
}

static void make_project(struct test_site *site)
{
    const struct site facts = {
        .name = "Test site", .incarnation = 1, .created_s = SITE_TIME_S, .up_s = 1};
    const struct keyring_record keyring = {.version = 1,
                                           .digest = site_digest(1),
                                           .is_root_change = true,
                                           .expires_s = SITE_TIME_S * 2,
                                           .time_s = SITE_TIME_S,
                                           .envelope = text_span("{\"keyring\":1}")};
    bool is_new;

    SITE_MUST(site->store->publish->site_save(site->store, &facts, err));
    SITE_MUST(site->store->publish->keyring_add(site->store, &keyring, &is_new, err));
}

static void make_app(struct test_site *site)
{
    const struct publish_ops *publish = site->store->publish;
    const struct digest file = site_digest(4);
    const struct file_record file_record = {
        .digest = file, .size_bytes = 1234, .time_s = SITE_TIME_S};
    const struct app_version_record app = {.digest = site_digest(2),
                                           .name = "count",
                                           .version = "1.0",
                                           .memory_bytes = 1 << 20,
                                           .disk_bytes = 1 << 20,
                                           .time_s = SITE_TIME_S,
                                           .envelope = text_span("{\"app\":\"count\"}")};
    struct variant_record variant = {.digest = site_digest(3),
                                     .platform = "x86_64-linux",
                                     .class_name = "native-x86_64",
                                     .runner = "native",
                                     .files = &file,
                                     .file_count = 1,
                                     .time_s = SITE_TIME_S,
                                     .envelope = text_span("{\"variant\":\"count\"}")};
    bool is_new;

    SITE_MUST(publish->file_add(site->store, &file_record, &is_new, err));
    SITE_MUST(publish->app_version_add(site->store, &app, &site->app_version, &is_new, err));
    variant.app_version = site->app_version;
    SITE_MUST(publish->variant_add(site->store, &variant, &site->variant, &is_new, err));
    site->app_version_digest = app.digest;
    site->variant_digest = variant.digest;
}

static void make_batch(struct test_site *site)
{
    struct batch_record batch = {.name = "primes", .app_version = site->app_version};
    bool is_new;

    batch.created_s = SITE_TIME_S;
    memset(&batch.public_id, 0xb1, sizeof batch.public_id);
    site->batch_id = batch.public_id;
    SITE_MUST(site->store->publish->batch_create(site->store, &batch, &site->batch, &is_new, err));
}

static void make_volunteers(struct test_site *site, size_t count)
{
    struct volunteer volunteer = {.kind = VOLUNTEER_ACCOUNT, .created_s = SITE_TIME_S};

    assert(count <= SITE_HOSTS_MAX);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(volunteer.name, sizeof volunteer.name, "volunteer %zu", i + 1);
        SITE_MUST(site->store->publish->volunteer_add(site->store, &volunteer, &site->volunteers[i],
                                                      err));
    }
    site->volunteer_count = count;
}

static void make_hosts(struct test_site *site, size_t each)
{
    CLEANUP(work_set_clear) struct work_set set = {0};

    assert(each * site->volunteer_count <= SITE_HOSTS_MAX);
    for (size_t i = 0; i < each * site->volunteer_count; i++) {
        struct host *host = work_add_host(&set);

        site->keys[i] = host->key = site_key(i);
        site->tokens[i] = host->token = site_digest(TOKEN_SEED + i);
        host->kind = HOST_NATIVE;
        host->volunteer = site->volunteers[i / each];
        host->prefix = text_format("192.0.%zu.0/24", i);
        host->platform = text_copy("x86_64-linux");
        host->offer = (struct host_offer){.cores = 4,
                                          .memory_bytes = INT64_C(2) << 30,
                                          .disk_bytes = INT64_C(9) << 30,
                                          .layers = text_copy(" landlock seccomp ")};
        host->client = text_copy("dugnad-client 0.1");
        host->incarnation = 1;
        host->enrolled_s = host->seen_s = SITE_TIME_S;
    }
    SITE_MUST(site->store->work->save(site->store, &set, err));
    for (size_t i = 0; i < set.host_count; i++)
        site->hosts[i] = set.hosts[i].id;
    site->host_count = set.host_count;
}

/* By struct unit_rule of the plan, or the default. */
static struct unit unit_by(const struct unit_rule *rule, int64_t index)
{
    static const struct unit_rule usual = {.quorum = 2,
                                           .copies = 2,
                                           .max_failures = 5,
                                           .max_tasks = 10,
                                           .independence = INDEPENDENCE_VOLUNTEER};

    return (struct unit){
        .index = index,
        .rule = rule != NULL && rule->quorum > 0 ? *rule : usual,
        .deadline_span_s = 3600,
        .declared_ops = 1000,
        .memory_bytes = 1 << 20,
        .disk_bytes = 1 << 20,
        .output_bytes = 1 << 20,
        .not_before_s = 1,
        .not_after_s = SITE_TIME_S + 30 * 86400 + index,
    };
}

void site_add_units(struct test_site *site, int64_t batch, int64_t first, size_t count,
                    const struct unit_rule *rule, int64_t *ret_ids)
{
    CLEANUP(txn_end) struct txn txn = {0};

    SITE_MUST(txn_begin(&txn, site->store, err));
    for (size_t i = 0; i < count; i++) {
        struct unit unit = unit_by(rule, first + (int64_t)i);
        char name[32];
        struct unit_record record = {
            .unit = &unit, .name = name, .envelope = text_span("{\"unit\":true}")};
        size_t added;

        (void)snprintf(name, sizeof name, "u%lld", (long long)unit.index);
        unit.digest = site_digest(UNIT_SEED + (uint64_t)batch * 10000000 + (uint64_t)unit.index);
        SITE_MUST(site->store->publish->units_add(site->store, batch, &record, 1, &added, err));
        if (ret_ids != NULL)
            ret_ids[i] = record.ret_id;
    }
    SITE_MUST(txn_commit(&txn, err));
}

static void make_units(struct test_site *site, const struct site_plan *plan, size_t count)
{
    assert(count <= SITE_UNITS_MAX);
    site_add_units(site, site->batch, 0, count, &plan->rule, site->units);
    for (size_t i = 0; i < count; i++)
        site->unit_digests[i] = site_digest(UNIT_SEED + (uint64_t)site->batch * 10000000 + i);
    site->unit_count = count;
}

struct store *site_connect(const struct test_site *site)
{
    struct store *store = NULL;

    SITE_MUST(store_open(site->path, &store, err));
    return store;
}

void site_open(struct test_site *site, const struct site_plan *plan)
{
    static const struct site_plan usual;
    CLEANUP(txn_end) struct txn txn = {0};

    if (plan == NULL)
        plan = &usual;
    *site = (struct test_site){0};
    if (plan->path != NULL)
        (void)snprintf(site->path, sizeof site->path, "%s", plan->path);
    else
        database_name(site->path);
    site->store = site_connect(site);

    SITE_MUST(txn_begin(&txn, site->store, err));
    make_project(site);
    make_app(site);
    make_batch(site);
    make_volunteers(site, plan->volunteers > 0 ? plan->volunteers : 3);
    make_hosts(site, plan->hosts_each > 0 ? plan->hosts_each : 1);
    SITE_MUST(txn_commit(&txn, err));
    make_units(site, plan, plan->units > 0 ? plan->units : 2);
}

void site_close(struct test_site *site)
{
    store_close(site->store);
    site->store = NULL;
}
