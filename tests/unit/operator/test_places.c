/* operator/places: another name, other URLs and other CAs in the project's next keyring. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/http/client.h"
#include "operator/profile.h"
#include "tests/support/desk.h"
#include "tests/support/fake_tls.h"
#include "work-units/trust.h"

static struct fake_tls first, second;
static char *first_path, *second_path;

static void set_up(void)
{
    desk_set_up();
    fake_tls_make(&first);
    fake_tls_make(&second);
    write_at_home("first.pem", first.ca_pem);
    write_at_home("second.pem", second.ca_pem);
    first_path = text_copy(at_home("first.pem"));
    second_path = text_copy(at_home("second.pem"));
}

static void tear_down(void)
{
    fake_tls_clear(&first);
    fake_tls_clear(&second);
    free(first_path);
    free(second_path);
    desk_tear_down();
}

#define OTHER "https://other.example:8443"

TestSuite(places, .init = set_up, .fini = tear_down, .timeout = 60);

/* What a client knows who followed the site from its first keyring on. */
static void follow(struct trust *ret_trust)
{
    *ret_trust = (struct trust){0};
    for (size_t i = 0; i < desk_site.keyrings.count; i++) {
        CLEANUP(envelope_clear) struct envelope envelope = {0};
        const char *text = desk_site.keyrings.texts[i];

        cr_assert(eq(int,
                     envelope_decode(text, strlen(text), ENVELOPE_KEYRING_MAX, &envelope, NULL),
                     STATUS_OK));
        cr_assert(eq(int,
                     i == 0 ? trust_start(ret_trust, &envelope.digest, &envelope, NULL)
                            : trust_accept_keyring(ret_trust, &envelope, NULL),
                     REFUSAL_NONE));
    }
}

static void expect_says(const char *words)
{
    cr_expect(strstr(desk_said, words) != NULL, "no \"%s\" in: %s", words, desk_said);
}

Test(places, what_is_given_replaces_the_list_in_a_keyring_that_clients_follow)
{
    CLEANUP(trust_clear) struct trust trust = {0};

    cr_assert(eq(int,
                 RUN("key", "publish", "--tls-ca", first_path, "--tls-ca", second_path, "--url",
                     "https://other.example:8443/", "--url", MEMORY_SITE_URL, "--name", "New name"),
                 EXIT_DONE),
              "%s", desk_said);
    expect_says(digest_format(&first.ca).text);
    expect_says("URL added: https://other.example:8443");
    expect_says("is now \"New name\"");
    follow(&trust);
    cr_assert(eq(i64, trust.keyring.version, 2));
    cr_expect(eq(sz, trust.keyring.tls_ca_count, 2));
    cr_expect(digest_equals(&trust.keyring.tls_cas[1], &second.ca));
    cr_expect(eq(sz, trust.keyring.urls.count, 2));
    cr_expect(eq(str, trust.keyring.urls.texts[0], "https://other.example:8443"));
    cr_expect(eq(str, trust.keyring.project, "New name"));
}

/* --- another place of the same project --- */

Test(places, a_profile_follows_its_project_only_to_where_the_keyring_lists_it)
{
    cr_expect(eq(int, RUN("connect", OTHER), EXIT_UNTRUSTED), "%s", desk_said);
    expect_says("does not list " OTHER);
    cr_expect(eq(sz, desk_site.tokens_elsewhere, 0));
    cr_assert(eq(int, RUN("key", "publish", "--url", OTHER), EXIT_DONE), "%s", desk_said);
    expect_says("dugnad connect " OTHER);
    cr_expect(strstr(desk_out, OTHER "/#") != NULL, "the link names a listed place: %s", desk_out);
    cr_assert(eq(int, RUN("connect", OTHER), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(int, RUN("status"), EXIT_DONE), "with its token: %s", desk_said);
    cr_expect(lt(sz, 0, desk_site.tokens_elsewhere));
    cr_expect(eq(int, RUN("key", "publish"), EXIT_DONE), "with its keys: %s", desk_said);
}

Test(places, a_profile_takes_no_place_of_another_project)
{
    CLEANUP(freep) char *link = link_format(OTHER, &first.ca);

    cr_assert(eq(int, RUN("key", "publish", "--url", OTHER), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(int, RUN("connect", link), EXIT_FAILED), "%s", desk_said);
    expect_says("this profile belongs to");
}

/* The site was set up anew; another profile claims it, whose link this is; owned. */
static char *let_another_project_begin(void)
{
    CLEANUP(trust_clear) struct trust trust = {0};

    memory_site_clear(&desk_site);
    memory_site_init(&desk_site);
    cr_assert(
        eq(int,
           RUN("connect", MEMORY_SITE_URL, "--profile", "two", "--token-file", at_home("token")),
           EXIT_DONE),
        "%s", desk_said);
    cr_assert(eq(int, RUN("key", "init", "--profile", "two"), EXIT_DONE), "%s", desk_said);
    cr_assert(eq(int, RUN("key", "publish", "--profile", "two"), EXIT_DONE), "%s", desk_said);
    follow(&trust);
    return link_format(MEMORY_SITE_URL, &trust.project);
}

static char *content_of(const char *name)
{
    CLEANUP(freep) char *path = text_format(".config/dugnad/default/%s", name);
    CLEANUP(buffer_clear) struct buffer content = {.max = 1 << 20};

    cr_assert(eq(int, desk_env.base.disk->read(desk_env.base.disk, at_home(path), &content, NULL),
                 STATUS_OK),
              "%s", name);
    return buffer_take(&content);
}

static void expect_kept(const char *name, const char *before)
{
    CLEANUP(freep) char *now = content_of(name);

    cr_expect(eq(str, now, (char *)before), "%s", name);
}

/* It was taken, with the keys and batches of the old project beside the trust in the new one. */
Test(places, a_profile_takes_no_other_project_at_the_place_of_its_own)
{
    CLEANUP(freep) char *main_before = content_of("profile.json");
    CLEANUP(freep) char *trust_before = content_of("trust.json");
    CLEANUP(freep) char *link = let_another_project_begin();

    cr_expect(eq(int, RUN("connect", link), EXIT_FAILED), "%s", desk_said);
    expect_says("this profile belongs to another project");
    expect_says("--profile NAME");
    cr_expect(eq(int, RUN("connect", MEMORY_SITE_URL), EXIT_UNTRUSTED), "%s", desk_said);
    cr_expect(eq(int, RUN("key", "publish"), EXIT_UNTRUSTED), "%s", desk_said);
    expect_kept("profile.json", main_before);
    expect_kept("trust.json", trust_before);
    cr_expect(eq(int, RUN("status", "--profile", "two"), EXIT_DONE), "kept apart: %s", desk_said);
}

/* It began to follow the site anew, from whatever this showed: a revoked key counted again. */
Test(places, who_connects_again_forgets_no_keyring_that_was_known)
{
    CLEANUP(freep) char *first_keyring = text_copy(desk_site.keyrings.texts[0]);
    CLEANUP(freep) char *first_freshness = text_copy(desk_site.freshness);
    CLEANUP(freep) char *trust_before = NULL;

    cr_assert(eq(int, RUN("key", "publish", "--name", "New name"), EXIT_DONE), "%s", desk_said);
    trust_before = content_of("trust.json");
    texts_clear(&desk_site.keyrings);
    texts_add(&desk_site.keyrings, first_keyring);
    free(desk_site.freshness);
    desk_site.freshness = TAKE(first_freshness);
    (void)RUN("connect", MEMORY_SITE_URL);
    expect_kept("trust.json", trust_before);
}

/* What cannot be read was taken for a profile that is not there, and written over. */
Test(places, a_profile_that_cannot_be_read_is_not_written_over)
{
    static const char *const files[] = {"profile.json", "trust.json"};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        CLEANUP(freep) char *path = text_format(".config/dugnad/default/%s", files[i]);
        CLEANUP(freep) char *before = content_of(files[i]);

        write_at_home(path, "{\"torn");
        cr_expect(eq(int, RUN("connect", MEMORY_SITE_URL), EXIT_FAILED), "%s", desk_said);
        expect_says(".config/dugnad/default cannot be read");
        expect_kept(files[i], "{\"torn");
        write_at_home(path, before);
        cr_expect(eq(int, RUN("status"), EXIT_DONE), "%s", desk_said);
    }
}

Test(places, what_is_not_given_stays_as_it_was)
{
    CLEANUP(trust_clear) struct trust trust = {0};

    cr_assert(eq(int, RUN("key", "publish", "--tls-ca", first_path), EXIT_DONE), "%s", desk_said);
    cr_assert(eq(int, RUN("key", "publish", "--name", "New name"), EXIT_DONE), "%s", desk_said);
    follow(&trust);
    cr_assert(eq(i64, trust.keyring.version, 3));
    cr_expect(eq(sz, trust.keyring.tls_ca_count, 1));
    cr_expect(digest_equals(&trust.keyring.tls_cas[0], &first.ca));
    cr_expect(eq(str, trust.keyring.urls.texts[0], MEMORY_SITE_URL));
}

Test(places, the_same_again_makes_no_keyring_and_renews_the_freshness)
{
    CLEANUP(freep) char *before = NULL;

    cr_assert(
        eq(int, RUN("key", "publish", "--tls-ca", first_path, "--tls-ca", second_path), EXIT_DONE));
    before = text_copy(desk_site.freshness);
    cr_assert(
        eq(int, RUN("key", "publish", "--tls-ca", second_path, "--tls-ca", first_path), EXIT_DONE));
    expect_says("says this already");
    cr_expect(eq(sz, desk_site.keyrings.count, 2));
    cr_expect(ne(str, desk_site.freshness, before));
}

Test(places, a_change_whose_answer_was_lost_is_made_once)
{
    desk_site.cut = CUT_ANSWER;
    desk_site.cut_after = desk_site.requests + 1; /* the project; then the keyring's answer */
    cr_expect(eq(int, RUN("key", "publish", "--tls-ca", first_path), EXIT_UNREACHABLE), "%s",
              desk_said);
    cr_expect(eq(sz, desk_site.keyrings.count, 2));
    desk_site.cut = CUT_NEVER;
    cr_expect(eq(int, RUN("key", "publish", "--tls-ca", first_path), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(sz, desk_site.keyrings.count, 2));
}

Test(places, who_drops_a_ca_is_told_what_that_does_to_clients)
{
    CLEANUP(trust_clear) struct trust trust = {0};

    cr_assert(
        eq(int, RUN("key", "publish", "--tls-ca", first_path, "--tls-ca", second_path), EXIT_DONE));
    cr_expect(strstr(desk_said, "forget") == NULL, "%s", desk_said);
    cr_assert(eq(int, RUN("key", "publish", "--tls-ca", second_path), EXIT_DONE));
    expect_says("CA dropped");
    expect_says("stops talking to the site until");
    cr_expect(strstr(desk_said, "WARNING") == NULL, "%s", desk_said);
    cr_assert(eq(int, RUN("key", "publish", "--no-tls-ca"), EXIT_DONE), "%s", desk_said);
    expect_says("CA dropped");
    follow(&trust);
    cr_expect(eq(sz, trust.keyring.tls_ca_count, 0));
}

Test(places, who_drops_what_this_profile_itself_uses_is_warned)
{
    write_at_home(".config/dugnad/default/ca.pem", first.ca_pem);
    cr_assert(eq(int, RUN("key", "publish", "--tls-ca", first_path), EXIT_DONE), "%s", desk_said);
    cr_assert(eq(int, RUN("key", "publish", "--tls-ca", second_path), EXIT_DONE), "%s", desk_said);
    expect_says("WARNING: this profile itself");
    cr_assert(eq(int, RUN("key", "publish", "--url", "https://other.example"), EXIT_DONE));
    expect_says("WARNING: volunteers who reach the project at " MEMORY_SITE_URL);
}

Test(places, json_tells_what_the_newest_keyring_says)
{
    cr_assert(eq(int, RUN("key", "publish", "--tls-ca", first_path, "--json"), EXIT_DONE));
    cr_expect(strstr(desk_out, digest_format(&first.ca).text) != NULL, "%s", desk_out);
    cr_expect(strstr(desk_out, "\"urls\":[\"" MEMORY_SITE_URL "\"]") != NULL, "%s", desk_out);
    cr_expect(eq(str, desk_said, ""));
}

/* --- what is wrong --- */

static void expect_refused(int code, const char *option, const char *value, const char *says)
{
    cr_expect(eq(int, RUN("key", "publish", option, value), code), "%s %s: %s", option, value,
              desk_said);
    expect_says(says);
    cr_expect(eq(sz, desk_site.keyrings.count, 1), "%s %s", option, value);
}

Test(places, a_file_that_is_no_ca_is_refused_by_its_name)
{
    CLEANUP(freep) char *huge = must_alloc(64 * 1024 + 1, 1);
    CLEANUP(freep) char *both = text_format("%s%s", first.ca_pem, second.ca_pem);

    memset(huge, 'A', 64 * 1024);
    write_at_home("empty.pem", "");
    write_at_home("text.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    write_at_home("huge.pem", huge);
    write_at_home("both.pem", both);
    expect_refused(EXIT_FAILED, "--tls-ca", at_home("empty.pem"), "empty.pem: that is not a cert");
    expect_refused(EXIT_FAILED, "--tls-ca", at_home("text.pem"), "text.pem: that is not a cert");
    expect_refused(EXIT_FAILED, "--tls-ca", at_home("huge.pem"),
                   "huge.pem holds more than 16384 bytes");
    expect_refused(EXIT_FAILED, "--tls-ca", at_home("both.pem"), "both.pem: that holds several");
    expect_refused(EXIT_FAILED, "--tls-ca", at_home("none.pem"), "none.pem");
    expect_refused(EXIT_FAILED, "--tls-ca", at_home("."), "not a regular file");
    cr_expect(
        eq(int, RUN("key", "publish", "--tls-ca", first_path, "--tls-ca", first_path), EXIT_USAGE));
    expect_says("given twice");
}

/* A CA by its basicConstraints, with a keyUsage of digitalSignature alone; until the year 2100. */
static const char no_signer[] = "-----BEGIN CERTIFICATE-----\n"
                                "MIIBljCCATugAwIBAgIUH8G0hdkr2Lue1nvM06vcg7780G4wCgYIKoZIzj0EAwIw\n"
                                "FzEVMBMGA1UEAwwMbm8gY2VydCBzaWduMCAXDTI2MTEyMzIzNTgwM1oYDzIxMDAx\n"
                                "MDI2MjM1ODAzWjAXMRUwEwYDVQQDDAxubyBjZXJ0IHNpZ24wWTATBgcqhkjOPQIB\n"
                                "BggqhkjOPQMBBwNCAAS+QZ9wIxIMPzaaHwCjaBK7lRt++Hra8nmn50cEcLFBrlLU\n"
                                "xe8o9e3kTbzKKqPtQVh+JZWmpWL+U/lwqQ0dvAfro2MwYTAdBgNVHQ4EFgQUP1c/\n"
                                "OTb2I5Qz8QTqe6eozRKxY04wHwYDVR0jBBgwFoAUP1c/OTb2I5Qz8QTqe6eozRKx\n"
                                "Y04wDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCB4AwCgYIKoZIzj0EAwID\n"
                                "SQAwRgIhAM8xRkUknAv8zWpHCdn8XZyV2B35wnheqgFkATzvzUI/AiEAojWmkyKI\n"
                                "7GYB2gCOsq6jju5VpJty6nlGCvPpF5HUkTc=\n"
                                "-----END CERTIFICATE-----\n";

/* A keyring that lists it would shut every volunteer out. */
Test(places, a_certificate_that_cannot_vouch_for_a_server_is_refused_by_its_name)
{
    CLEANUP(freep) char *leaf = fake_tls_leaf_pem(&first);

    write_at_home("leaf.pem", leaf);
    write_at_home("signer.pem", no_signer);
    expect_refused(EXIT_FAILED, "--tls-ca", at_home("leaf.pem"),
                   "leaf.pem: that certificate is no "
                   "CA");
    expect_refused(EXIT_FAILED, "--tls-ca", at_home("signer.pem"), "has no keyCertSign");
}

Test(places, wrong_urls_and_names_are_refused_with_their_limit)
{
    CLEANUP(freep) char *longer = text_format("%0*d", KEYRING_NAME_MAX + 1, 0);
    CLEANUP(freep) char *far = text_format("https://%0*d", KEYRING_URL_MAX, 0);

    expect_refused(EXIT_USAGE, "--url", "http://grid.example", "https://");
    expect_refused(EXIT_USAGE, "--url", "https://", "https://");
    expect_refused(EXIT_USAGE, "--url", "https://grid.example/path", "no path");
    expect_refused(EXIT_USAGE, "--url", MEMORY_SITE_URL "/#" FAKE_TOKEN, "project's id");
    expect_refused(EXIT_USAGE, "--url", "", "https://");
    expect_refused(EXIT_USAGE, "--url", far, "255");
    expect_refused(EXIT_USAGE, "--name", "", "--name is 1 to 100");
    expect_refused(EXIT_USAGE, "--name", longer, "--name is 1 to 100");
    expect_refused(EXIT_USAGE, "--name", "a\033[2J", "control");
    cr_expect(eq(
        int, RUN("key", "publish", "--url", "https://a.example", "--url", "https://A.example:443/"),
        EXIT_USAGE));
    expect_says("given twice");
    cr_expect(eq(int, RUN("key", "publish", "--no-tls-ca", "--tls-ca", first_path), EXIT_USAGE));
    cr_expect(eq(sz, desk_site.keyrings.count, 1));
}

Test(places, more_than_a_keyring_lists_are_refused)
{
    const char *words[4 + 2 * (KEYRING_URLS_MAX + 1)] = {"dugnad", "key", "publish"};
    CLEANUP(texts_clear) struct texts urls = {0};

    for (size_t i = 0; i <= KEYRING_URLS_MAX; i++) {
        CLEANUP(freep) char *url = text_format("https://a%zu.example", i);

        texts_add(&urls, url);
    }
    for (size_t i = 0; i <= KEYRING_URLS_MAX; i++) {
        words[3 + 2 * i] = "--url";
        words[4 + 2 * i] = urls.texts[i];
    }
    cr_expect(eq(int, run_words(words), EXIT_USAGE));
    expect_says("at most 8 URLs");
    for (size_t i = 0; i <= KEYRING_URLS_MAX; i++) {
        words[3 + 2 * i] = "--tls-ca";
        words[4 + 2 * i] = first_path;
    }
    cr_expect(eq(int, run_words(words), EXIT_USAGE));
    expect_says("at most 8 CAs");
    cr_expect(eq(sz, desk_site.keyrings.count, 1));
}

/* Whoever lost the keys, or has another profile of the same site, changes nothing. */
Test(places, a_project_of_other_keys_is_not_changed)
{
    CLEANUP(freep) char *spare = text_copy(at_home(".config/dugnad/default/keys/app.pem"));

    cr_assert(
        eq(int,
           desk_env.base.disk->rename(desk_env.base.disk, spare,
                                      at_home(".config/dugnad/default/keys/root-use.pem"), NULL),
           STATUS_OK));
    expect_refused(EXIT_FAILED, "--tls-ca", first_path, "other keys");
}
