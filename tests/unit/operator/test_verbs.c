/* The verbs, whole, against a site in memory; keys unencrypted, for scrypt takes its time. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/text.h"
#include "common/env/real.h"
#include "operator/batch_record.h"
#include "operator/keychain.h"
#include "operator/result_check.h"
#include "operator/session.h"
#include "operator/verbs.h"
#include "protocol/result_line.h"
#include "protocol/visit.h"
#include "tests/support/fake_env.h"
#include "tests/support/memory_site.h"
#include "tests/support/messages.h"

static struct fake_env env;
static struct memory_site site;
static struct session session;
static char home[] = "/tmp/dugnad-verbs-XXXXXX";
static char *out, *said; /* what the last command printed */
static size_t out_length, said_length;

static char *at_home(const char *name)
{
    static char path[DISK_PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/%s", home, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    cr_assert(eq(int,
                 env.base.disk->write(env.base.disk, at_home(name), text, strlen(text), 0600, NULL),
                 STATUS_OK));
}

static int run_words(const char *const *words)
{
    int count = 0, code;

    while (words[count] != NULL)
        count++;
    free(out);
    free(said);
    out = said = NULL;
    session.out = open_memstream(&out, &out_length);
    session.err = open_memstream(&said, &said_length);
    code = program_run(&operator_program, &session, count, words);
    (void)fclose(session.out);
    (void)fclose(session.err);
    return code;
}

#define RUN(...) run_words((const char *const[]){"dugnad", __VA_ARGS__, NULL})

/* The profile of a claimed site, as `connect`, `key init`, `key publish` and `app add` leave it. */
static void make_keys(void)
{
    for (int role = 0; role < KEY_ROLES; role++) {
        CLEANUP(private_key_clear) struct private_key key = test_key((unsigned)role);
        CLEANUP(freep)
        char *name =
            text_format(".config/dugnad/default/keys/%s.pem", key_role_name((enum key_role)role));

        cr_assert(eq(int, private_key_save(&key, &env.base, at_home(name), NULL, NULL), STATUS_OK));
    }
}

static void set_up(void)
{
    cr_assert(mkdtemp(home) != NULL);
    fake_env_init(&env, 7);
    memory_site_init(&site);
    session = (struct session){.env = &env.base, .http = &site.client, .in = stdin, .home = home};
    write_file("token", FAKE_TOKEN "\n");
    write_file("pass", "unused\n");
    write_file("program", "#!/bin/sh\necho\n");
    cr_assert(eq(int, RUN("connect", MEMORY_SITE_URL, "--token-file", at_home("token")), EXIT_DONE),
              "%s", said);
    make_keys();
    session.passphrase_file = text_copy(at_home("pass"));
    cr_assert(eq(int, RUN("key", "publish"), EXIT_DONE), "%s", said);
    cr_assert(eq(int, RUN("app", "add", "app", at_home("program")), EXIT_DONE), "%s", said);
}

static void tear_down(void)
{
    (void)env.base.disk->remove_tree(env.base.disk, home, NULL);
    memory_site_clear(&site);
    free((char *)session.passphrase_file);
    free(out);
    free(said);
}

TestSuite(verbs, .init = set_up, .fini = tear_down, .timeout = 60);

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
    link = text_copy(out);
    cr_expect(text_starts_with(link, MEMORY_SITE_URL "/#") &&
              strlen(link) == strlen(MEMORY_SITE_URL) + 2 + 43 + 1);
    cr_assert(eq(int, RUN("key", "publish"), EXIT_DONE));
    cr_expect(eq(str, out, link));
    cr_expect(eq(sz, site.keyrings.count, 1));
}

Test(verbs, a_keyring_whose_answer_was_lost_is_taken_up)
{
    CLEANUP(freep) char *keyring = text_copy(site.keyrings.texts[0]);

    /* As if the machine had died after the site took the first keyring. */
    (void)env.base.disk->remove(env.base.disk, at_home(".config/dugnad/default/trust.json"), NULL);
    write_file(".config/dugnad/default/profile.json",
               "{\"url\":\"" MEMORY_SITE_URL "\",\"name\":\"Grid\"}");
    cr_expect(eq(int, RUN("key", "publish"), EXIT_DONE), "%s", said);
    cr_expect(eq(sz, site.keyrings.count, 1));
    cr_expect(eq(str, site.keyrings.texts[0], keyring));
}

Test(verbs, a_site_that_shows_another_project_is_not_trusted)
{
    site.project.bytes[0] ^= 1;
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..10"), EXIT_UNTRUSTED));
    cr_expect(strstr(said, "another project") != NULL, "%s", said);
    cr_expect(eq(sz, site.units.count, 0));
}

Test(verbs, a_claimed_site_is_not_pinned_without_a_person_or_a_link)
{
    cr_expect(eq(int, RUN("connect", MEMORY_SITE_URL, "--profile", "other"), EXIT_UNTRUSTED));
    cr_expect(strstr(said, "/#") != NULL, "%s", said);
    cr_expect(not(disk_has(env.base.disk, at_home(".config/dugnad/other/profile.json"))));
}

Test(verbs, a_link_of_another_project_is_refused)
{
    cr_expect(eq(int, RUN("connect", MEMORY_SITE_URL "/#" FAKE_TOKEN, "--profile", "other"),
                 EXIT_UNTRUSTED));
    cr_expect(eq(int, RUN("connect", MEMORY_SITE_URL "/#short", "--profile", "other"), EXIT_USAGE));
    cr_expect(eq(int, RUN("connect", "http://grid.example", "--profile", "other"), EXIT_USAGE));
}

Test(verbs, a_rotated_key_signs_from_then_on_and_work_goes_on)
{
    cr_assert(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "before"), EXIT_DONE), "%s",
              said);
    cr_assert(eq(int, RUN("key", "rotate", "work"), EXIT_DONE), "%s", said);
    cr_assert(eq(int, RUN("key", "rotate", "root-spare"), EXIT_DONE), "%s", said);
    cr_assert(eq(int, RUN("key", "revoke", "work"), EXIT_DONE), "%s", said);
    cr_expect(eq(sz, site.keyrings.count, 4));
    site.has_batch = false;
    texts_clear(&site.units);
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "after"), EXIT_DONE), "%s",
              said);
}

/* --- apps --- */

Test(verbs, adding_the_same_app_again_publishes_nothing)
{
    cr_assert(eq(int, RUN("app", "add", "app", at_home("program")), EXIT_DONE));
    cr_expect(eq(sz, site.app_versions.count, 1));
    write_file("program", "#!/bin/sh\necho changed\n");
    cr_assert(eq(int, RUN("app", "add", "app", at_home("program")), EXIT_DONE));
    cr_expect(eq(sz, site.app_versions.count, 2));
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
        cr_expect(strstr(said, cases[i].says) != NULL, "%s", said);
    }
    write_file("data", "no program");
    cr_expect(eq(int, RUN("app", "add", "good", at_home("data")), EXIT_USAGE));
}

/* --- submit --- */

Test(verbs, a_range_becomes_signed_units_and_a_closed_batch)
{
    struct work_unit unit = {0};
    CLEANUP(envelope_clear) struct envelope envelope = {0};

    cr_assert(eq(int,
                 RUN("submit", "app", "--range", "0..25", "--step", "10", "--name", "b", "--",
                     "{from}", "{to}"),
                 EXIT_DONE),
              "%s", said);
    cr_expect(eq(sz, site.units.count, 3));
    cr_expect(site.is_closed);
    cr_assert(eq(int,
                 envelope_decode(site.units.texts[2], strlen(site.units.texts[2]),
                                 ENVELOPE_PAYLOAD_MAX, &envelope, NULL),
                 STATUS_OK));
    cr_assert(eq(int, work_unit_decode(envelope.payload, envelope.payload_length, &unit, NULL),
                 STATUS_OK));
    cr_expect(eq(str, unit.arguments.texts[0], "20"));
    cr_expect(eq(str, unit.arguments.texts[1], "25"));
    cr_expect(eq(i64, unit.index, 2));
    work_unit_clear(&unit);
}

/* The list in the profile is exactly what the site has. */
static void expect_listed(const char *name)
{
    CLEANUP(freep) char *path = text_format(".config/dugnad/default/batches/%s/units", name);
    CLEANUP(buffer_clear) struct buffer listed = {0};

    buffer_init(&listed, 1 << 20);
    cr_assert(eq(int, env.base.disk->read(env.base.disk, at_home(path), &listed, NULL), STATUS_OK));
    cr_assert(eq(sz, listed.length, site.units.count * DIGEST_BYTES));
    for (size_t i = 0; i < site.units.count; i++) {
        CLEANUP(envelope_clear) struct envelope envelope = {0};

        cr_assert(eq(int,
                     envelope_decode(site.units.texts[i], strlen(site.units.texts[i]),
                                     ENVELOPE_PAYLOAD_MAX, &envelope, NULL),
                     STATUS_OK));
        cr_expect(memcmp(listed.bytes + i * DIGEST_BYTES, envelope.digest.bytes, DIGEST_BYTES) ==
                  0);
    }
}

static int submit_files(void)
{
    CLEANUP(freep) char *folder = text_copy(at_home("in"));

    return RUN("submit", "app", folder, "--files-per-unit", "1", "--name", "cut", "--", "{input}");
}

/* Two large inputs, so that files are sent, too. */
static void make_inputs(void)
{
    char large[6000];

    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = '\0';
    cr_assert(
        eq(int, env.base.disk->make_folder(env.base.disk, at_home("in"), 0700, NULL), STATUS_OK));
    write_file("in/a", large);
    large[0] = 'y';
    write_file("in/b", large);
    write_file("in/c", "small");
}

Test(verbs, a_submission_cut_anywhere_goes_on_and_signs_the_same_units)
{
    bool is_through = false;

    make_inputs();
    for (int64_t after = 0; after < 40 && !is_through; after++) {
        site.cut = after % 2 == 0 ? CUT_REQUEST : CUT_ANSWER;
        site.cut_after = site.requests + after / 2;
        is_through = submit_files() == EXIT_DONE;
        /* Clocks go on: what is signed must not depend on when it is repeated. */
        fake_env_pass(&env, 3600 * 1000);
        cr_expect(site.units.count == 0 || site.units.count == 3);
    }
    cr_expect(is_through, "%s", said);
    cr_expect(eq(sz, site.units.count, 3));
    cr_expect(eq(sz, site.files.count, 1 + 2)); /* the program's too */
    expect_listed("cut");
}

Test(verbs, a_cut_submission_goes_on_with_its_own_options_only)
{
    /* project, freshness, apps, batch; then the units are cut off. */
    site.cut = CUT_REQUEST;
    site.cut_after = site.requests + 4;
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..9", "--name", "b"), EXIT_UNREACHABLE));
    site.cut = CUT_NEVER;
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..8", "--name", "b"), EXIT_FAILED));
    cr_expect(strstr(said, "repeat that one") != NULL, "%s", said);
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..9", "--name", "b"), EXIT_DONE), "%s",
              said);
    expect_listed("b");
}

Test(verbs, inputs_that_changed_since_the_cut_are_noticed)
{
    make_inputs();
    for (int64_t after = 0; site.units.count == 0 && after < 20; after++) {
        site.cut = CUT_ANSWER;
        site.cut_after = site.requests + after;
        (void)submit_files();
    }
    cr_assert(eq(sz, site.units.count, 3));
    site.cut = CUT_NEVER;
    texts_clear(&site.units); /* a site that lost them asks for all again */
    write_file("in/c", "other");
    cr_expect(eq(int, submit_files(), EXIT_FAILED));
    cr_expect(strstr(said, "changed") != NULL, "%s", said);
    cr_expect(eq(sz, site.units.count, 0));
}

Test(verbs, appending_goes_on_with_the_numbers_and_closes_when_told)
{
    cr_assert(
        eq(int, RUN("submit", "app", "--range", "0..2", "--name", "b", "--append"), EXIT_DONE),
        "%s", said);
    cr_expect(not(site.is_closed));
    cr_assert(eq(int, RUN("submit", "app", "--range", "2..4", "--name", "b", "--append", "--close"),
                 EXIT_DONE),
              "%s", said);
    cr_expect(site.is_closed);
    cr_expect(eq(sz, site.units.count, 4));
    expect_listed("b");
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..2", "--name", "b"), EXIT_FAILED));
}

Test(verbs, a_dry_run_sends_nothing)
{
    size_t before = site.log.count;

    cr_assert(eq(int, RUN("submit", "app", "--range", "0..1000", "--dry-run"), EXIT_DONE));
    cr_expect(strstr(said, "1000 units would be") != NULL, "%s", said);
    for (size_t i = before; i < site.log.count; i++)
        cr_expect(text_starts_with(site.log.texts[i], "GET "), "%s", site.log.texts[i]);
}

Test(verbs, wrong_command_lines_are_refused_and_name_the_option)
{
    static const struct {
        const char *option, *value, *says;
    } cases[] = {
        {"--quorum", "0", "--quorum"},
        {"--quorum", "17", "--quorum"},
        {"--copies", "1", "--copies"},
        {"--name", "a/b", "--name"},
        {"--deadline", "soon", "--deadline"},
        {"--priority", "11", "--priority"},
        {"--independence", "me", "--independence"},
        {"--only", "moon=full", "--only"},
        {"--max-failures", "-1", "--max-failures"},
        {"--range", "9..3", "--range"},
        {"--step", "2", "--step"},
        {"--files-per-unit", "0", "--files-per-unit"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect(eq(int, RUN("submit", "app", cases[i].option, cases[i].value), EXIT_USAGE),
                  "%s %s", cases[i].option, cases[i].value);
        cr_expect(strstr(said, cases[i].says) != NULL, "%s", said);
    }
}

/* --- fetch --- */

/* A result of the index-th unit, signed by two test hosts. */
static char *result_of(size_t index, const char *body, bool is_inline)
{
    struct result_output output = {
        .output = {.digest = digest_of(body, strlen(body)), .size = (int64_t)strlen(body)},
        .is_inline = is_inline,
        .body = {(char *)body, strlen(body)}};
    struct result_task tasks[2] = {0};
    struct result_line line = {.index = (int64_t)index,
                               .state = RESULT_ACCEPTED,
                               .revision = 1,
                               .output_count = 1,
                               .outputs = &output,
                               .task_count = 2,
                               .tasks = tasks,
                               .manifest = site.units.texts[index],
                               .time_s = 1700000000};
    struct envelope manifest = {0};
    struct work_unit unit = {0};
    char *text;

    (void)text_fit(output.output.name.text, sizeof output.output.name.text, "stdout");
    (void)snprintf(line.cursor.text, sizeof line.cursor.text, "%zu", site.results.count + 1);
    cr_assert(eq(int,
                 envelope_decode(line.manifest, strlen(line.manifest), ENVELOPE_PAYLOAD_MAX,
                                 &manifest, NULL),
                 STATUS_OK));
    cr_assert(eq(int, work_unit_decode(manifest.payload, manifest.payload_length, &unit, NULL),
                 STATUS_OK));
    line.unit = manifest.digest;
    line.name = unit.name;
    for (unsigned i = 0; i < 2; i++) {
        CLEANUP(private_key_clear) struct private_key key = test_key(20 + i);
        struct visit_task finished = {.task = (int64_t)(index * 2 + i + 1),
                                      .unit = line.unit,
                                      .outcome = VISIT_DONE,
                                      .outputs = {&output.output, 1}};
        struct visit visit = {site.project, 1, 1, &finished};
        CLEANUP(freep) char *payload = visit_encode(&visit);

        tasks[i] =
            (struct result_task){.task = finished.task,
                                 .host = key.public_key,
                                 .volunteer = i + 1,
                                 .statement = test_envelope_text(VISIT_TYPE, payload, 20 + i)};
    }
    text = result_line_encode(&line);
    free(tasks[0].statement);
    free(tasks[1].statement);
    envelope_clear(&manifest);
    work_unit_clear(&unit);
    return text;
}

static void add_result(size_t index, const char *body, bool is_inline)
{
    CLEANUP(freep) char *line = result_of(index, body, is_inline);

    texts_add(&site.results, line);
}

static void submit_three(void)
{
    cr_assert(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "b"), EXIT_DONE), "%s",
              said);
}

static int fetch(void)
{
    CLEANUP(freep) char *into = text_copy(at_home("out"));

    return RUN("fetch", "b", "--into", into);
}

static void expect_content(const char *name, const char *text)
{
    CLEANUP(buffer_clear) struct buffer content = {0};

    buffer_init(&content, 1 << 20);
    cr_assert(eq(int, env.base.disk->read(env.base.disk, at_home(name), &content, NULL), STATUS_OK),
              "%s", name);
    cr_expect(eq(str, (char *)buffer_text(&content), (char *)text));
}

static size_t count_lines(void)
{
    CLEANUP(buffer_clear) struct buffer content = {0};
    size_t lines = 0;

    buffer_init(&content, 1 << 20);
    cr_assert(eq(int,
                 env.base.disk->read(env.base.disk, at_home("out/results.ndjson"), &content, NULL),
                 STATUS_OK));
    for (size_t i = 0; i < content.length; i++)
        lines += content.bytes[i] == '\n';
    return lines;
}

Test(verbs, results_are_laid_out_by_unit_and_output_and_fetching_goes_on)
{
    submit_three();
    add_result(0, "zero", true);
    cr_expect(eq(int, fetch(), EXIT_DONE), "%s", said);
    expect_content("out/0-1/stdout", "zero");
    site.output = text_copy("one, from elsewhere");
    add_result(1, "one, from elsewhere", false);
    add_result(2, "two", true);
    cr_expect(eq(int, fetch(), EXIT_DONE), "%s", said);
    expect_content("out/1-2/stdout", "one, from elsewhere");
    expect_content("out/2-3/stdout", "two");
    cr_expect(eq(sz, count_lines(), 3));
    cr_expect(eq(int, fetch(), EXIT_DONE));
    cr_expect(eq(sz, count_lines(), 3));
}

Test(verbs, a_result_that_nobody_signed_for_is_left_out_and_asked_for_again)
{
    submit_three();
    add_result(0, "zero", true);
    add_result(1, "one", true);
    add_result(2, "two", true);
    {
        CLEANUP(freep) char *honest = site.results.texts[1];

        /* "one" in base64 becomes "two": another body under the signed digest. */
        site.results.texts[1] = replaced(honest, "b25l", "dHdv");
        cr_expect(eq(int, fetch(), EXIT_UNTRUSTED));
        cr_expect(strstr(said, RESULT_WRONG_BODY) != NULL, "%s", said);
        cr_expect(not(disk_has(env.base.disk, at_home("out/1-2"))));
        expect_content("out/2-3/stdout", "two");
        free(site.results.texts[1]);
        site.results.texts[1] = text_copy(honest);
    }
    cr_expect(eq(int, fetch(), EXIT_DONE), "%s", said);
    expect_content("out/1-2/stdout", "one");
    cr_expect(eq(sz, count_lines(), 3));
}

Test(verbs, a_body_that_comes_apart_is_checked_while_it_comes)
{
    static const char *const wrong[] = {"One", "one and more", "on"};

    submit_three();
    add_result(1, "one", false);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        free(site.output);
        site.output = text_copy(wrong[i]);
        cr_expect(eq(int, fetch(), EXIT_UNTRUSTED), "%s", said);
        cr_expect(not(disk_has(env.base.disk, at_home("out/1-2/stdout"))));
        cr_expect(not(disk_has(env.base.disk, at_home("out/1-2/.stdout.part"))));
    }
}

Test(verbs, a_folder_of_another_batch_is_not_mixed_in)
{
    submit_three();
    cr_assert(
        eq(int, env.base.disk->make_folder(env.base.disk, at_home("out"), 0700, NULL), STATUS_OK));
    write_file("out/.dugnad-fetch", "{\"batch\":\"" BATCH_A "\",\"cursor\":\"\",\"bytes\":0}");
    cr_expect(eq(int, fetch(), EXIT_FAILED));
    cr_expect(strstr(said, "another batch") != NULL, "%s", said);
}

Test(verbs, fetching_cut_anywhere_ends_with_the_same_folder)
{
    submit_three();
    add_result(0, "zero", true);
    add_result(1, "one", false);
    add_result(2, "two", true);
    site.output = text_copy("one");
    for (int64_t after = 0; after < 12; after++) {
        site.cut = after % 2 == 0 ? CUT_REQUEST : CUT_ANSWER;
        site.cut_after = site.requests + after / 2;
        (void)fetch();
    }
    site.cut = CUT_NEVER;
    cr_expect(eq(int, fetch(), EXIT_DONE), "%s", said);
    cr_expect(eq(sz, count_lines(), 3));
    expect_content("out/1-2/stdout", "one");
}

/* --- words --- */

Test(verbs, watch_ends_with_the_batch_and_its_code_says_how)
{
    submit_three();
    cr_expect(eq(int, RUN("watch", "b"), EXIT_DONE));
    cr_expect(strstr(out, "all 3 units accepted") != NULL, "%s", out);
}

Test(verbs, a_server_that_cannot_be_reached_is_told_so_and_waited_for)
{
    site.cut = CUT_REQUEST;
    cr_expect(eq(int, RUN("status"), EXIT_UNREACHABLE));
    cr_expect(strstr(said, "trying again") != NULL, "%s", said);
}

Test(verbs, what_the_server_refuses_is_told_as_its_words)
{
    cr_expect(eq(int, RUN("status", "nowhere"), EXIT_REFUSED));
    cr_expect(strstr(said, "the server says: there is no such batch") != NULL, "%s", said);
}

Test(verbs, the_manual_page_in_the_tree_is_what_the_tables_say)
{
    CLEANUP(freep) char *path = text_format("%s/docs/man/dugnad.1", getenv("DUGNAD_SOURCE"));
    CLEANUP(buffer_clear) struct buffer page = {0};

    buffer_init(&page, 1 << 20);
    cr_assert(eq(int, env.base.disk->read(env.base.disk, path, &page, NULL), STATUS_OK));
    cr_assert(eq(int, RUN("manual"), EXIT_DONE));
    cr_expect(strcmp(out, buffer_text(&page)) == 0,
              "write it anew: dugnad manual > docs/man/dugnad.1");
}
