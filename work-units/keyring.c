#include "work-units/keyring.h"

#include <string.h>

#include "common/json/build.h"
#include "common/json/profile.h"

static const char *const role_names[] = {"app", "work", "fresh"};
#define ROLES (sizeof role_names / sizeof *role_names)

void keyring_clear(struct keyring *keyring)
{
    for (size_t i = 0; i < keyring->publisher_count; i++)
        texts_clear(&keyring->publishers[i].apps);
    free(keyring->publishers);
    free(keyring->retired);
    free(keyring->revoked);
    texts_clear(&keyring->urls);
    *keyring = (struct keyring){0};
}

static bool root_has(const struct root_set *root, const struct public_key *key)
{
    for (size_t i = 0; i < root->key_count; i++)
        if (public_key_equals(&root->keys[i], key))
            return true;
    return false;
}

static void read_root(struct members *members, struct root_set *ret_root)
{
    struct members part;
    struct members_list keys;

    members_object(members, "root", &part);
    ret_root->threshold = (size_t)members_integer(&part, "threshold", 1, KEYRING_ROOTS_MAX);
    keys = members_list(&part, "keys", 1, KEYRING_ROOTS_MAX);
    for (size_t i = 0; i < keys.count; i++) {
        struct public_key key = list_public_key(&keys, i);

        if (!members_failed(members) && root_has(ret_root, &key))
            members_fail(&part, "keys", "malformed", "has a key twice");
        ret_root->keys[ret_root->key_count++] = key;
    }
    if (!members_failed(members) && ret_root->threshold > ret_root->key_count)
        members_fail(&part, "threshold", "bad-number", "is more than there are keys");
    members_end_part(&part);
}

static void read_publisher(struct members *part, struct publisher *ret_publisher)
{
    ret_publisher->key = members_public_key(part, "key");
    ret_publisher->role =
        (enum publisher_role)(members_choice(part, "role", role_names, ROLES) + ROLE_APP);
    if (members_has(part, "apps")) {
        ret_publisher->apps = members_words(part, "apps", KEYRING_APPS_MAX);
        if (ret_publisher->role != ROLE_APP || ret_publisher->apps.count == 0)
            members_fail(part, "apps", "malformed", "is for the role app, and not empty");
    }
    ret_publisher->not_before_s = members_time(part, "not_before");
    ret_publisher->not_after_s = members_time(part, "not_after");
    if (!members_failed(part) && ret_publisher->not_after_s <= ret_publisher->not_before_s)
        members_fail(part, "not_after", "bad-number", "is not after not_before");
    members_end_part(part);
}

static void read_publishers(struct members *members, struct keyring *keyring)
{
    struct members_list list = members_list(members, "publishers", 0, KEYRING_PUBLISHERS_MAX);

    keyring->publishers = must_alloc(list.count, sizeof *keyring->publishers);
    for (size_t i = 0; i < list.count; i++) {
        struct publisher *publisher = &keyring->publishers[i];
        struct members part;

        list_object(&list, i, &part);
        read_publisher(&part, publisher);
        if (!members_failed(members) && (root_has(&keyring->root, &publisher->key) ||
                                         keyring_publisher(keyring, &publisher->key) != NULL))
            members_fail(&part, "key", "malformed", "has another role already");
        keyring->publisher_count = i + 1;
    }
}

static const struct key_end *find_end(const struct key_end *ends, size_t count,
                                      const struct public_key *key)
{
    for (size_t i = 0; i < count; i++)
        if (public_key_equals(&ends[i].key, key))
            return &ends[i];
    return NULL;
}

/* A list of ends; the caller owns it. */
static struct key_end *read_ends(struct members *members, const char *name, size_t *ret_count)
{
    struct members_list list = members_list(members, name, 0, KEYRING_ENDS_MAX);
    struct key_end *ends = must_alloc(list.count, sizeof *ends);

    for (size_t i = 0; i < list.count; i++) {
        struct members part;

        list_object(&list, i, &part);
        ends[i].key = members_public_key(&part, "key");
        ends[i].at_s = members_time(&part, "at");
        members_end_part(&part);
        if (!members_failed(members) && find_end(ends, i, &ends[i].key) != NULL)
            members_fail(members, name, "malformed", "has a key twice");
    }
    *ret_count = list.count;
    return ends;
}

static void check_ends(struct members *members, const struct keyring *keyring)
{
    for (size_t i = 0; i < keyring->retired_count; i++)
        if (keyring_publisher(keyring, &keyring->retired[i].key) == NULL)
            members_fail(members, "retired", "malformed", "has a key that is no publisher's");
    for (size_t i = 0; i < keyring->revoked_count; i++)
        if (root_has(&keyring->root, &keyring->revoked[i].key))
            members_fail(members, "revoked", "malformed", "has a root key");
}

static bool is_url(const char *url)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-._~:/[]";

    return text_starts_with(url, "https://") && strlen(url) > strlen("https://") &&
           strspn(url, allowed) == strlen(url);
}

static void read_places(struct members *members, struct keyring *keyring)
{
    struct members_list cas;

    keyring->urls = members_texts(members, "urls", KEYRING_URLS_MAX, KEYRING_URL_MAX);
    for (size_t i = 0; i < keyring->urls.count; i++)
        if (!is_url(keyring->urls.texts[i]))
            members_fail(members, "urls", "malformed", "has one that is not https://...");
    cas = members_list(members, "tls_cas", 0, KEYRING_CAS_MAX);
    for (size_t i = 0; i < cas.count; i++)
        keyring->tls_cas[i] = list_digest(&cas, i);
    keyring->tls_ca_count = cas.count;
}

static void read_life(struct members *members, struct keyring *keyring)
{
    keyring->issued_s = members_time(members, "issued");
    keyring->expires_s = members_time(members, "expires");
    if (!members_failed(members) && (keyring->expires_s <= keyring->issued_s ||
                                     keyring->expires_s - keyring->issued_s > KEYRING_LIFE_MAX_S))
        members_fail(members, "expires", "bad-number", "is not up to 400 days after issued");
}

enum status keyring_decode(const char *payload, size_t length, struct keyring *ret_keyring,
                           struct error *err)
{
    CLEANUP(keyring_clear) struct keyring keyring = {.version = 0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(profile_parse(payload, length, &profile_keyring, &root, err));
    members_begin(&members, root, err);
    members_type(&members, KEYRING_TYPE);
    keyring.version = members_integer(&members, "version", 1, PROFILE_INTEGER_MAX);
    (void)text_fit(keyring.project, sizeof keyring.project,
                   members_text(&members, "project", 1, KEYRING_NAME_MAX));
    read_life(&members, &keyring);
    read_root(&members, &keyring.root);
    read_publishers(&members, &keyring);
    keyring.retired = read_ends(&members, "retired", &keyring.retired_count);
    keyring.revoked = read_ends(&members, "revoked", &keyring.revoked_count);
    check_ends(&members, &keyring);
    read_places(&members, &keyring);
    TRY(members_end(&members));

    *ret_keyring = keyring;
    keyring = (struct keyring){0};
    return STATUS_OK;
}

static json_t *root_to_json(const struct root_set *root)
{
    json_t *keys = json_array();

    for (size_t i = 0; i < root->key_count; i++)
        build_append(keys, json_string(public_key_format(&root->keys[i]).text));
    return json_pack("{s:I, s:o}", "threshold", (json_int_t)root->threshold, "keys", keys);
}

static json_t *publishers_to_json(const struct keyring *keyring)
{
    json_t *list = json_array();

    for (size_t i = 0; i < keyring->publisher_count; i++) {
        const struct publisher *publisher = &keyring->publishers[i];
        json_t *apps = publisher->apps.count > 0 ? texts_to_json(&publisher->apps) : NULL;

        build_append(list, json_pack("{s:s, s:s, s:o*, s:I, s:I}", "key",
                                     public_key_format(&publisher->key).text, "role",
                                     publisher_role_name(publisher->role), "apps", apps,
                                     "not_before", (json_int_t)publisher->not_before_s, "not_after",
                                     (json_int_t)publisher->not_after_s));
    }
    return list;
}

static json_t *ends_to_json(const struct key_end *ends, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        build_append(list, json_pack("{s:s, s:I}", "key", public_key_format(&ends[i].key).text,
                                     "at", (json_int_t)ends[i].at_s));
    return list;
}

char *keyring_encode(const struct keyring *keyring)
{
    json_t *cas = json_array();
    json_auto_t *root = NULL;

    for (size_t i = 0; i < keyring->tls_ca_count; i++)
        build_append(cas, digest_to_json(&keyring->tls_cas[i]));
    root =
        json_pack("{s:s, s:I, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "type", KEYRING_TYPE,
                  "version", (json_int_t)keyring->version, "project", keyring->project, "issued",
                  (json_int_t)keyring->issued_s, "expires", (json_int_t)keyring->expires_s, "root",
                  root_to_json(&keyring->root), "publishers", publishers_to_json(keyring),
                  "retired", ends_to_json(keyring->retired, keyring->retired_count), "revoked",
                  ends_to_json(keyring->revoked, keyring->revoked_count), "urls",
                  texts_to_json(&keyring->urls), "tls_cas", cas);
    return profile_print(root);
}

const struct publisher *keyring_publisher(const struct keyring *keyring,
                                          const struct public_key *key)
{
    for (size_t i = 0; i < keyring->publisher_count; i++)
        if (public_key_equals(&keyring->publishers[i].key, key))
            return &keyring->publishers[i];
    return NULL;
}

bool keyring_is_revoked(const struct keyring *keyring, const struct public_key *key)
{
    return find_end(keyring->revoked, keyring->revoked_count, key) != NULL;
}

int64_t keyring_retired_s(const struct keyring *keyring, const struct public_key *key)
{
    const struct key_end *end = find_end(keyring->retired, keyring->retired_count, key);

    return end != NULL ? end->at_s : INT64_MAX;
}

bool publisher_covers(const struct publisher *publisher, const char *app)
{
    return publisher->apps.count == 0 || texts_have(&publisher->apps, app);
}

bool root_set_signed(const struct root_set *root, const struct envelope *envelope)
{
    return root->threshold >= 1 &&
           envelope_count_signers(envelope, root->keys, root->key_count) >= root->threshold;
}

bool root_set_equals(const struct root_set *a, const struct root_set *b)
{
    if (a->threshold != b->threshold || a->key_count != b->key_count)
        return false;
    for (size_t i = 0; i < a->key_count; i++)
        if (!root_has(b, &a->keys[i]))
            return false;
    return true;
}

const char *publisher_role_name(enum publisher_role role)
{
    return role_names[role - ROLE_APP];
}
