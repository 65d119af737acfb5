/*
 * A small site in a store, for tests: one project, app version "count" with one variant for
 * "x86_64-linux" of class "native-x86_64", a batch "primes", volunteers with hosts, and units.
 * Whatever fails ends the test program with words.
 */
#ifndef TESTS_SUPPORT_SITE_H
#define TESTS_SUPPORT_SITE_H

#include "db/publish.h"
#include "db/query.h"
#include "db/store.h"
#include "db/work.h"
#include "tests/support/database.h"

#define SITE_TIME_S    1000000 /* when all of it was made */
#define SITE_HOSTS_MAX 64
#define SITE_UNITS_MAX 64

/* What to make; members that are 0 take the default. */
struct site_plan {
    const char *path;      /* NULL: of a fresh database, see tests/support/database.h */
    size_t volunteers;     /* 3, each with an account */
    size_t hosts_each;     /* 1 */
    size_t units;          /* 2 */
    struct unit_rule rule; /* quorum 2, copies 2, max_failures 5, max_tasks 10, by volunteer */
};

struct test_site {
    struct store *store;          /* owned */
    char path[DATABASE_NAME_MAX]; /* to open another connection with */
    int64_t app_version;
    struct digest app_version_digest;
    int64_t variant;
    struct digest variant_digest;
    int64_t batch;
    struct batch_id batch_id;
    size_t volunteer_count;
    int64_t volunteers[SITE_HOSTS_MAX];
    size_t host_count;
    int64_t hosts[SITE_HOSTS_MAX]; /* of the first volunteer, of the second … */
    struct public_key keys[SITE_HOSTS_MAX];
    struct digest tokens[SITE_HOSTS_MAX];
    size_t unit_count;
    int64_t units[SITE_UNITS_MAX]; /* index i is named "u<i>" */
    struct digest unit_digests[SITE_UNITS_MAX];
};

void site_open(struct test_site *site, const struct site_plan *plan); /* plan NULL: defaults */
void site_close(struct test_site *site);

/* The same database through another connection. */
struct store *site_connect(const struct test_site *site);

/* A digest, or a key, that is nothing but this number: easily told apart, of no bytes known. */
struct digest site_digest(uint64_t number);
struct public_key site_key(uint64_t number);

/* Units `first` to `first` + `count` - 1 of a batch, by `rule`, in a transaction of its own. */
void site_add_units(struct test_site *site, int64_t batch, int64_t first, size_t count,
                    const struct unit_rule *rule, int64_t *ret_ids);

/* Ends the program unless the call was fine. */
#define SITE_MUST(call)                                                                            \
    do {                                                                                           \
        struct error err_ = {0};                                                                   \
        struct error *err = &err_;                                                                 \
        site_must((call), err, #call);                                                             \
    } while (0)
void site_must(enum status status, const struct error *err, const char *call);

#endif
