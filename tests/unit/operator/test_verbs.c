/* The verbs that need no work, and what they say when something fails. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/text.h"
#include "common/crypto/keys.h"
#include "operator/show_batch.h"
#include "tests/support/desk.h"
#include "work-units/trust.h"

TestSuite(verbs, .init = desk_set_up, .fini = desk_tear_down, .timeout = 60);

/* --- profile and keys --- */

Test(verbs, the_profile_is_for_its_owner_alone)
{
    static const char *const files[] = {"token", "profile.json", "trust.json", "keys/work.pem"};
    struct stat facts;

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        CLEANUP(freep) char *name = text_format(".config/dugnad/default/%s", files[i]);

        cr_assert(stat(at_home(name), &facts) == 0, "%s", name);
        cr_expect(eq(int, (int)(facts.st_mode & 0777), 0600), "%s", name);
    }
    cr_assert(stat(at_home(".config/dugnad/default"), &facts) == 0);
    cr_expect(eq(int, (int)(facts.st_mode & 0777), 0700));
}

Test(verbs, publishing_again_only_renews_freshness_and_prints_the_same_link)
{
    CLEANUP(freep) char *link = NULL;

    cr_assert(eq(int, RUN("key", "publish"), EXIT_DONE));
    link = text_copy(desk_out);
    cr_expect(text_starts_with(link, MEMORY_SITE_URL "/#") &&
              strlen(link) == strlen(MEMORY_SITE_URL) + 2 + 43 + 1);
    cr_assert(eq(int, RUN("key", "publish"), EXIT_DONE));
    cr_expect(eq(str, desk_out, link));
    cr_expect(eq(sz, desk_site.keyrings.count, 1));
}

/* A timer's and a person's: one of them failed on a file of the other. */
Test(verbs, commands_that_write_a_profile_wait_for_each_other)
{
    static const char *const publish[] = {"dugnad", "key", "publish", NULL},
                             *const rotate[] = {"dugnad", "key", "rotate", "work", NULL},
                             *const connect[] = {"dugnad", "connect", MEMORY_SITE_URL, NULL};
    static const char *const *const commands[] = {publish, rotate, connect};

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        CLEANUP(disk_file_closep) struct disk_file *other = NULL;

        cr_assert(eq(int,
                     desk_env.base.disk->lock(desk_env.base.disk,
                                              at_home(".config/dugnad/default/lock"), &other, NULL),
                     STATUS_OK));
        cr_expect(eq(int, run_words(commands[i]), EXIT_HELD), "%s: %s", commands[i][1], desk_said);
        cr_expect(strstr(desk_said, "another dugnad") != NULL, "%s", desk_said);
        disk_file_close(TAKE(other));
        cr_expect(eq(int, run_words(commands[i]), EXIT_DONE), "%s: %s", commands[i][1], desk_said);
    }
}

Test(verbs, a_keyring_whose_answer_was_lost_is_taken_up)
{
    CLEANUP(freep) char *keyring = text_copy(desk_site.keyrings.texts[0]);

    /* As if the machine had died after the site took the first keyring. */
    (void)desk_env.base.disk->remove(desk_env.base.disk,
                                     at_home(".config/dugnad/default/trust.json"), NULL);
    write_at_home(".config/dugnad/default/profile.json",
                  "{\"url\":\"" MEMORY_SITE_URL "\",\"name\":\"Grid\"}");
    cr_expect(eq(int, RUN("key", "publish"), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(sz, desk_site.keyrings.count, 1));
    cr_expect(eq(str, desk_site.keyrings.texts[0], keyring));
}

Test(verbs, a_site_that_shows_another_project_is_not_trusted)
{
    desk_site.project.bytes[0] ^= 1;
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..10"), EXIT_UNTRUSTED));
    cr_expect(strstr(desk_said, "another project") != NULL, "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 0));
}

Test(verbs, a_claimed_site_is_not_pinned_without_a_person_or_a_link)
{
    cr_expect(eq(int, RUN("connect", MEMORY_SITE_URL, "--profile", "other"), EXIT_UNTRUSTED));
    cr_expect(strstr(desk_said, "/#") != NULL, "%s", desk_said);
    cr_expect(not(disk_has(desk_env.base.disk, at_home(".config/dugnad/other/profile.json"))));
}

Test(verbs, a_link_of_another_project_is_refused)
{
    cr_expect(eq(int, RUN("connect", MEMORY_SITE_URL "/#" FAKE_TOKEN, "--profile", "other"),
                 EXIT_UNTRUSTED));
    cr_expect(eq(int, RUN("connect", MEMORY_SITE_URL "/#short", "--profile", "other"), EXIT_USAGE));
    cr_expect(eq(int, RUN("connect", "http://grid.example", "--profile", "other"), EXIT_USAGE));
    cr_expect(eq(int, RUN("connect", "https://", "--profile", "other"), EXIT_USAGE));
}

Test(verbs, a_rotated_key_signs_from_then_on_and_work_goes_on)
{
    cr_assert(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "before"), EXIT_DONE), "%s",
              desk_said);
    cr_assert(eq(int, RUN("key", "rotate", "work"), EXIT_DONE), "%s", desk_said);
    cr_assert(eq(int, RUN("key", "rotate", "root-spare"), EXIT_DONE), "%s", desk_said);
    cr_assert(eq(int, RUN("key", "revoke", "work"), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(sz, desk_site.keyrings.count, 4));
    desk_site.has_batch = false;
    texts_clear(&desk_site.units);
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "after"), EXIT_DONE), "%s",
              desk_said);
}

#define BATCH_ID "00112233445566778899aabbccddeeff"

/* Of the key in the profile's file. */
static struct public_key key_of(const char *role)
{
    CLEANUP(freep) char *name = text_format(".config/dugnad/default/keys/%s.pem", role);
    CLEANUP(private_key_clear) struct private_key key = {0};

    cr_assert(eq(int, private_key_load(&key, desk_env.base.disk, at_home(name), "unused", NULL),
                 STATUS_OK));
    return key.public_key;
}

Test(verbs, every_key_can_be_rotated_and_what_was_revoked_stays_so)
{
    static const struct {
        const char *verb, *role;
    } steps[] = {{"rotate", "app"},
                 {"revoke", "fresh"},
                 {"rotate", "fresh"},
                 {"revoke", "root-use"},
                 {"rotate", "root-spare"}};
    int64_t sequence;

    cr_assert(eq(int, RUN("key", "revoke", BATCH_ID, "--unknown"), EXIT_DONE), "%s", desk_said);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct trust trust = desk_follow();

        sequence = trust.freshness.sequence;
        trust_clear(&trust);
        cr_assert(eq(int, RUN("key", steps[i].verb, steps[i].role), EXIT_DONE), "%s: %s",
                  steps[i].role, desk_said);
        trust = desk_follow();
        cr_expect(lt(i64, sequence, trust.freshness.sequence), "%s", steps[i].role);
        cr_expect(eq(sz, trust.freshness.batch_count, 1), "%s", steps[i].role);
        trust_clear(&trust);
    }
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "after"), EXIT_DONE), "%s",
              desk_said);
}

Test(verbs, a_rotation_cut_anywhere_comes_to_its_end_when_it_is_repeated)
{
    static const char *const roles[] = {"work", "root-use"};

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        bool is_through = false;

        for (int64_t after = 0; after < 20 && !is_through; after++) {
            desk_site.cut = after % 2 == 0 ? CUT_REQUEST : CUT_ANSWER;
            desk_site.cut_after = desk_site.requests + after / 2;
            is_through = RUN("key", "rotate", roles[i]) == EXIT_DONE;
        }
        desk_site.cut = CUT_NEVER;
        cr_assert(is_through, "%s: %s", roles[i], desk_said);
        cr_expect(eq(int, RUN("key", "publish"), EXIT_DONE), "%s", desk_said);
    }
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "after"), EXIT_DONE), "%s",
              desk_said);
}

/* The rotation was cut; meanwhile the person learns that the key was stolen. */
Test(verbs, revoking_after_a_cut_rotation_revokes_the_old_key)
{
    struct public_key old = key_of("work");
    struct trust trust;

    desk_site.cut = CUT_ANSWER;
    desk_site.cut_after = desk_site.requests + 1; /* the project; then the keyring's answer */
    cr_expect(eq(int, RUN("key", "rotate", "work"), EXIT_UNREACHABLE), "%s", desk_said);
    cr_expect(eq(sz, desk_site.keyrings.count, 2));
    desk_site.cut = CUT_NEVER;
    cr_expect(eq(int, RUN("key", "revoke", "work"), EXIT_DONE), "%s", desk_said);
    trust = desk_follow();
    cr_expect(keyring_is_revoked(&trust.keyring, &old));
    trust_clear(&trust);
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "after"), EXIT_DONE), "%s",
              desk_said);
}

Test(verbs, a_key_by_its_name_is_retired_or_revoked_if_that_leaves_a_successor)
{
    struct public_key work = key_of("work"), root = key_of("root-use");
    CLEANUP(freep) char *work_text = text_copy(public_key_format(&work).text);
    CLEANUP(freep) char *root_text = text_copy(public_key_format(&root).text);
    struct trust trust;

    cr_expect(eq(int, RUN("key", "retire", work_text), EXIT_FAILED));
    cr_expect(strstr(desk_said, "key rotate work") != NULL, "%s", desk_said);
    cr_expect(eq(int, RUN("key", "revoke", root_text), EXIT_FAILED));
    cr_expect(strstr(desk_said, "key revoke root-use") != NULL, "%s", desk_said);
    cr_expect(eq(sz, desk_site.keyrings.count, 1));
    cr_expect(eq(int, RUN("key", "revoke", work_text), EXIT_DONE), "%s", desk_said);
    trust = desk_follow();
    cr_expect(keyring_is_revoked(&trust.keyring, &work));
    work = key_of("work");
    cr_expect(keyring_publisher(&trust.keyring, &work) != NULL);
    trust_clear(&trust);
    cr_expect(eq(int, RUN("key", "revoke", work_text), EXIT_FAILED));
    cr_expect(strstr(desk_said, "already") != NULL, "%s", desk_said);
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "b"), EXIT_DONE), "%s",
              desk_said);
}

Test(verbs, an_app_version_a_batch_and_a_unit_are_revoked_in_the_freshness)
{
    CLEANUP(freep) char *digest = text_format("sha256:%064d", 1);
    struct trust trust;

    cr_assert(eq(int, RUN("key", "revoke", digest, "--unknown"), EXIT_DONE), "%s", desk_said);
    cr_assert(eq(int, RUN("key", "revoke", digest, "--unit", "--unknown"), EXIT_DONE), "%s",
              desk_said);
    for (int i = 0; i < 2; i++)
        cr_assert(eq(int, RUN("key", "revoke", BATCH_ID, "--unknown"), EXIT_DONE), "%s", desk_said);
    trust = desk_follow();
    cr_expect(eq(sz, trust.freshness.app_version_count, 1));
    cr_expect(eq(sz, trust.freshness.unit_count, 1));
    cr_expect(eq(sz, trust.freshness.batch_count, 1));
    trust_clear(&trust);
    cr_expect(eq(int, RUN("key", "revoke", "nothing"), EXIT_USAGE));
    cr_expect(eq(int, RUN("key", "revoke", "ed25519:AAAA"), EXIT_USAGE));
    cr_expect(eq(int, RUN("key", "retire", "ed25519:AAAA"), EXIT_USAGE));
    cr_expect(eq(int, RUN("explain", "sha256:zz"), EXIT_USAGE));
}

/* --- apps --- */

Test(verbs, adding_the_same_app_again_publishes_nothing)
{
    cr_assert(eq(int, RUN("app", "add", "app", at_home("program")), EXIT_DONE));
    cr_expect(eq(sz, desk_site.app_versions.count, 1));
    write_at_home("program", "#!/bin/sh\necho changed\n");
    cr_assert(eq(int, RUN("app", "add", "app", at_home("program")), EXIT_DONE));
    cr_expect(eq(sz, desk_site.app_versions.count, 2));
}

Test(verbs, an_app_that_was_cut_anywhere_is_added_as_one_version)
{
    size_t apps = desk_site.app_versions.count, variants = desk_site.variants.count;
    bool is_through = false;

    write_at_home("p1", "#!/bin/sh\necho one\n");
    write_at_home("p2", "#!/bin/sh\necho two\n");
    for (int64_t after = 0; after < 30 && !is_through; after++) {
        CLEANUP(freep) char *first = text_copy(at_home("p1"));
        CLEANUP(freep) char *other = text_format("aarch64-linux-gnu=%s", at_home("p2"));

        desk_site.cut = after % 2 == 0 ? CUT_REQUEST : CUT_ANSWER;
        desk_site.cut_after = desk_site.requests + after / 2;
        is_through = RUN("app", "add", "two", first, "--platform", other) == EXIT_DONE;
    }
    cr_expect(is_through, "%s", desk_said);
    cr_expect(eq(sz, desk_site.app_versions.count, apps + 1));
    cr_expect(eq(sz, desk_site.variants.count, variants + 2));
}

static void expect_last_signed_by(const struct texts *envelopes, const struct public_key *key)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    const char *text = envelopes->texts[envelopes->count - 1];

    cr_assert(eq(int, envelope_decode(text, strlen(text), ENVELOPE_PAYLOAD_MAX, &envelope, NULL),
                 STATUS_OK));
    cr_expect(envelope_is_signed_by(&envelope, key), "%s", envelope.type);
}

/* The newest version was passed over, for its key was revoked: the first one was signed anew, with
 * another program, or the site refused another contract of the first version's number. And of a
 * version signed anew, variants stayed as they were. */
Test(verbs, an_app_whose_key_was_revoked_is_signed_anew_as_the_version_that_it_is)
{
    struct public_key key;
    bool is_through = false;

    write_at_home("program", "#!/bin/sh\necho changed\n");
    cr_assert(eq(int, RUN("app", "add", "app", at_home("program"), "--cores", "2"), EXIT_DONE));
    cr_assert(eq(int, RUN("key", "revoke", "app"), EXIT_DONE), "%s", desk_said);
    for (int64_t after = 0; after < 20 && !is_through; after++) {
        desk_site.cut = after % 2 == 0 ? CUT_REQUEST : CUT_ANSWER;
        desk_site.cut_after = desk_site.requests + after / 2;
        is_through = RUN("app", "add", "app", at_home("program"), "--cores", "2") == EXIT_DONE;
    }
    desk_site.cut = CUT_NEVER;
    cr_expect(is_through, "%s", desk_said);
    cr_expect(strstr(desk_said, "version 2 ") != NULL, "%s", desk_said);
    cr_expect(eq(sz, desk_site.app_versions.count, 2));
    cr_expect(eq(sz, desk_site.variants.count, 2));
    key = key_of("app");
    expect_last_signed_by(&desk_site.app_versions, &key);
    expect_last_signed_by(&desk_site.variants, &key);
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "after"), EXIT_DONE), "%s",
              desk_said);
}

Test(verbs, wrong_apps_are_refused_with_their_reason)
{
    static const struct {
        const char *name, *option, *value, *says;
    } cases[] = {
        {"Bad Name", "--cores", "1", "name"},
        {"good", "--output", "a/b", "--output a/b"},
        {"good", "--output", "x:much", "--output x:much"},
        {"good", "--platform", "nothing", "PLATFORM=FILE"},
        {"good", "--cores", "0", "--cores"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(freep) char *program = text_copy(at_home("program"));

        cr_expect(eq(int,
                     RUN("app", "add", cases[i].name, program, cases[i].option, cases[i].value),
                     EXIT_USAGE));
        cr_expect(strstr(desk_said, cases[i].says) != NULL, "%s", desk_said);
    }
    write_at_home("data", "no program");
    cr_expect(eq(int, RUN("app", "add", "good", at_home("data")), EXIT_USAGE));
}

/* --- a unit by its name --- */

/* What an action says, the site is asked for as it is. */
Test(verbs, another_copy_is_asked_for_of_a_batch_or_of_a_unit_by_its_name)
{
    const char *digest;

    cr_assert(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "b"), EXIT_DONE));
    cr_expect(eq(int, RUN("again", "b"), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(str, desk_site.last_action, "{\"action\":\"again\"}"));
    cr_expect(eq(int, RUN("again", "b/7-8"), EXIT_FAILED));
    cr_expect(eq(int, RUN("again", "sha256:zz"), EXIT_USAGE));
    (void)RUN("again", "b", "1-2"); /* the site knows no units */
    digest = desk_site.log.texts[desk_site.log.count - 1];
    cr_expect(text_starts_with(digest, "GET /v1/units/"), "%s", digest);
}

Test(verbs, a_unit_is_explained_by_its_batch_and_name)
{
    CLEANUP(envelope_clear) struct envelope unit = {0};
    CLEANUP(freep) char *wanted = NULL;

    submit_three();
    cr_assert(eq(int,
                 envelope_decode(desk_site.units.texts[1], strlen(desk_site.units.texts[1]),
                                 ENVELOPE_PAYLOAD_MAX, &unit, NULL),
                 STATUS_OK));
    wanted = text_format("GET /v1/units/%s", digest_format(&unit.digest).text + strlen("sha256:"));
    (void)RUN("explain", "b", "1-2");
    cr_expect(eq(str, desk_site.log.texts[desk_site.log.count - 1], wanted));
    (void)RUN("explain", "b");
    cr_expect(ne(str, desk_site.log.texts[desk_site.log.count - 1], wanted));
    (void)RUN("explain", "b/1-2");
    cr_expect(eq(str, desk_site.log.texts[desk_site.log.count - 1], wanted));
    cr_expect(eq(int, RUN("explain", "b", "7-8"), EXIT_FAILED));
    cr_expect(strstr(desk_said, "no unit \"7-8\"") != NULL, "%s", desk_said);
}

/* --- words --- */

Test(verbs, watch_ends_with_the_batch_and_its_code_says_how)
{
    submit_three();
    cr_expect(eq(int, RUN("watch", "b"), EXIT_DONE));
    cr_expect(strstr(desk_out, "all 3 units accepted") != NULL, "%s", desk_out);
}

Test(verbs, a_server_that_cannot_be_reached_is_told_so_and_waited_for)
{
    desk_site.cut = CUT_REQUEST;
    cr_expect(eq(int, RUN("status"), EXIT_UNREACHABLE));
    cr_expect(strstr(desk_said, "trying again") != NULL, "%s", desk_said);
}

Test(verbs, what_the_server_refuses_is_told_as_its_words)
{
    cr_expect(eq(int, RUN("status", "nowhere"), EXIT_REFUSED));
    cr_expect(strstr(desk_said, "the server says: there is no such batch") != NULL, "%s",
              desk_said);
}

Test(verbs, the_manual_page_in_the_tree_is_what_the_tables_say)
{
    CLEANUP(freep) char *path = text_format("%s/docs/man/dugnad.1", getenv("DUGNAD_SOURCE"));
    CLEANUP(buffer_clear) struct buffer page = {0};

    buffer_init(&page, 1 << 20);
    cr_assert(eq(int, desk_env.base.disk->read(desk_env.base.disk, path, &page, NULL), STATUS_OK));
    cr_assert(eq(int, RUN("manual"), EXIT_DONE));
    cr_expect(strcmp(desk_out, buffer_text(&page)) == 0,
              "write it anew: dugnad manual > docs/man/dugnad.1");
}

/* --- how batches stand --- */

Test(verbs, cancelled_units_are_not_shown_as_failed)
{
    static const char *const counts[] = {"failed", "cancelled", "1", "2"};
    char *word, *rest;
    size_t found = 0;

    submit_three();
    desk_site.failed = 1;
    desk_site.cancelled = 2;
    cr_assert(eq(int, RUN("status"), EXIT_DONE), "%s", desk_said);
    rest = desk_out;
    while ((word = strsep(&rest, " \n")) != NULL)
        found += found < 4 && strcmp(word, counts[found]) == 0;
    cr_expect(eq(sz, found, 4));

    cr_assert(eq(int, RUN("status", "--json"), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_out, "\"failed\":1,\"cancelled\":2") != NULL, "%s", desk_out);
}

static char *bar_of(const struct batch_status *status, int columns)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    show_bar(out, status, columns);
    cr_assert(eq(int, fclose(out), 0));
    return text;
}

/* What wrapped stayed on the screen, line after line. */
Test(verbs, the_bar_of_a_batch_fits_its_terminal)
{
    struct batch_status status = {
        .name = "b\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9",
        .phase = PHASE_CLOSED,
        .units = 1000000,
        .accepted = 500000,
        .running = 12345,
        .judging = 1234,
        .failed = 123,
        .cancelled = 12};

    for (int columns = 1; columns <= 200; columns++) {
        CLEANUP(freep) char *text = bar_of(&status, columns);

        cr_expect(strlen(text) < (size_t)columns || columns <= 14, "%d: %s", columns, text);
        cr_expect(text_starts_with(text, "[#####"), "%d: %s", columns, text);
        cr_expect(text_is_utf8(text, strlen(text)), "%d: %s", columns, text);
    }
}

Test(verbs, the_bar_of_a_batch_shows_failed_and_cancelled_apart)
{
    struct batch_status status = {.name = "b", .phase = PHASE_CLOSED, .units = 30};
    CLEANUP(freep) char *text = NULL;

    status.accepted = 20;
    status.failed = 3;
    status.cancelled = 4;
    text = bar_of(&status, 120);
    cr_expect(text_starts_with(text, "[####################!!!xxxx...] "), "%s", text);
    cr_expect(strstr(text, "3 failed, 4 cancelled") != NULL, "%s", text);
}
