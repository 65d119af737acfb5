/* Tokens, passphrases and certificates that come through pipes, units from stdin, keys onto a full
 * output. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.h"
#include "operator/keychain.h"
#include "operator/profile.h"
#include "tests/support/desk.h"

static char *fifo;
static pid_t writer;

static void set_up(void)
{
    desk_set_up();
    fifo = text_copy(at_home("fifo"));
    cr_assert(zero(int, mkfifo(fifo, 0600)));
}

static void tear_down(void)
{
    free(fifo);
    desk_tear_down();
}

TestSuite(pipes, .init = set_up, .fini = tear_down, .timeout = 60);

/* A process of its own, which begins some time later and writes in two pieces. */
static void write_later(const char *first, const char *second)
{
    writer = fork();
    cr_assert(ne(int, (int)writer, -1));
    if (writer == 0) {
        FILE *file;

        (void)alarm(20); /* where nobody reads it would wait for ever */
        (void)usleep(50000);
        file = fopen(fifo, "w");
        if (file == NULL || fputs(first, file) == EOF || fflush(file) == EOF)
            _exit(1);
        (void)usleep(50000);
        if (fputs(second, file) == EOF || fclose(file) == EOF)
            _exit(1);
        _exit(0);
    }
}

/* It wrote to one who stayed until the end. */
static void expect_written(void)
{
    int how = 0;

    cr_assert(eq(int, (int)waitpid(writer, &how, 0), (int)writer));
    cr_expect(eq(int, how, 0), "it met nobody");
}

/* Regression: "not a regular file". */
Test(pipes, a_token_comes_through_one)
{
    write_at_home(".config/dugnad/default/token", "");
    write_later("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AA\n");
    cr_expect(eq(int, RUN("connect", MEMORY_SITE_URL, "--token-file", fifo, "--profile", "other"),
                 EXIT_UNTRUSTED),
              "%s", desk_said);
    cr_expect(strstr(desk_said, "vouches") != NULL, "past the token: %s", desk_said);
    expect_written();
}

Test(pipes, a_passphrase_comes_through_one)
{
    CLEANUP(profile_clear) struct profile profile = {.session = &desk_session};
    CLEANUP(keychain_clear) struct keychain keychain;
    struct options none = {
        .program = &(const struct program){0},
        .command = &(const struct command){.options = (const struct option_rule[]){KEYCHAIN_OPTION},
                                           .option_count = 1}};

    keychain_init(&keychain, &profile);
    free((char *)desk_session.passphrase_file);
    desk_session.passphrase_file = text_copy(fifo);
    write_later("correct ", "horse\n");
    cr_assert(eq(int, keychain_unlock(&keychain, &none, false, NULL), STATUS_OK));
    cr_expect(eq(str, keychain.passphrase, "correct horse"));
    expect_written();
}

Test(pipes, what_is_too_long_is_refused_with_its_limit)
{
    CLEANUP(freep) char *longer = text_format("%0*d", 4000, 7);

    write_later(longer, longer);
    cr_expect(eq(int, RUN("connect", MEMORY_SITE_URL, "--token-file", fifo), EXIT_FAILED));
    cr_expect(strstr(desk_said, "more than 1024 bytes") != NULL, "%s", desk_said);
    (void)waitpid(writer, NULL, 0);
    write_later(longer, longer);
    cr_expect(eq(int, RUN("key", "publish", "--passphrase-file", fifo), EXIT_FAILED));
    cr_expect(strstr(desk_said, "more than 2048 bytes") != NULL, "%s", desk_said);
    (void)waitpid(writer, NULL, 0);
}

Test(pipes, what_is_neither_file_nor_pipe_is_refused)
{
    cr_expect(eq(int, RUN("connect", MEMORY_SITE_URL, "--token-file", "/dev/zero"), EXIT_FAILED));
    cr_expect(strstr(desk_said, "not a regular file") != NULL, "%s", desk_said);
    cr_expect(eq(int, RUN("connect", MEMORY_SITE_URL, "--token-file", at_home(".")), EXIT_FAILED));
}

/* --- units: what cannot be read twice --- */

static int submit_stdin(const char *lines)
{
    FILE *before = desk_session.in;
    int code;

    desk_session.in = fmemopen((char *)lines, strlen(lines), "r");
    cr_assert(desk_session.in != NULL);
    code = RUN("submit", "app", "--units", "-", "--name", "b", "--append");
    (void)fclose(desk_session.in);
    desk_session.in = before;
    return code;
}

Test(pipes, a_name_twice_among_units_from_stdin_is_refused_with_its_line)
{
    cr_expect(eq(int, submit_stdin("{\"name\":\"one\"}\n\n{\"name\":\"One\"}\n"), EXIT_FAILED));
    cr_expect(strstr(desk_said, "line 3") != NULL && strstr(desk_said, "\"One\"") != NULL, "%s",
              desk_said);
}

Test(pipes, units_from_stdin_may_not_have_names_of_earlier_ones)
{
    cr_assert(eq(int, submit_stdin("{\"name\":\"one\"}\n{}\n"), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(int, submit_stdin("{\"name\":\"unit-1\"}\n"), EXIT_FAILED));
    cr_expect(strstr(desk_said, "unit 1 of this batch") != NULL, "%s", desk_said);
}

/* Sent in part, then cut: the same input goes on where it was, and each unit is there once. */
Test(pipes, units_from_stdin_are_resumed_after_a_cut)
{
    CLEANUP(buffer_clear) struct buffer lines = {0};
    bool is_through = false;

    buffer_init(&lines, 1 << 20);
    for (int i = 0; i < 600; i++) {
        CLEANUP(freep) char *line = text_format("{\"name\":\"n%d\"}\n", i);

        cr_assert(eq(int, buffer_append_text(&lines, line, NULL), STATUS_OK));
    }
    for (int64_t after = 2; after < 40 && !is_through; after++) {
        desk_site.cut = after % 2 == 0 ? CUT_REQUEST : CUT_ANSWER;
        desk_site.cut_after = desk_site.requests + after;
        is_through = submit_stdin(buffer_text(&lines)) == EXIT_DONE;
    }
    cr_expect(is_through, "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 600));
}

/* --- watch: an output that takes nothing --- */

/* Regression: it went on until the batch ended, and told of that. */
Test(pipes, watch_ends_with_1_as_soon_as_nobody_takes_what_it_prints)
{
    submit_three();
    desk_out_path = "/dev/full";
    cr_expect(eq(int, RUN("watch", "b", "--json"), EXIT_FAILED), "%s", desk_said);
    cr_expect(eq(int, RUN("watch", "b"), EXIT_FAILED), "%s", desk_said);
}

/* --- key init: an output that takes nothing --- */

static bool has_key_of_two(enum key_role role)
{
    CLEANUP(freep)
    char *name = text_format(".config/dugnad/two/keys/%s.pem", key_role_name(role));

    return disk_has(desk_env.base.disk, at_home(name));
}

/* The site of a profile "two" that nobody claimed yet. */
static void connect_two(void)
{
    memory_site_clear(&desk_site);
    memory_site_init(&desk_site);
    cr_assert(
        eq(int,
           RUN("connect", MEMORY_SITE_URL, "--profile", "two", "--token-file", at_home("token")),
           EXIT_DONE),
        "%s", desk_said);
}

static size_t keys_of_two(void)
{
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    struct disk *disk = desk_env.base.disk;

    size_t count = 0;

    (void)disk->list(disk, at_home(".config/dugnad/two/keys"), &names, NULL);
    for (size_t i = 0; i < names.count; i++)
        count += strcmp(strrchr(names.names[i], '.'), ".pem") == 0; /* not .new: half written */
    return count;
}

/* `key init`, killed as soon as all keys were made, while its output takes nothing. */
static void kill_key_init(void)
{
    int reader = open(fifo, O_RDWR | O_NONBLOCK);
    pid_t child;

    cr_assert(reader >= 0);
    while (write(reader, "x", 1) == 1)
        continue;
    child = fork();
    cr_assert(ne(int, (int)child, -1));
    if (child == 0) {
        desk_out_path = fifo;
        _exit(RUN("key", "init", "--profile", "two"));
    }
    while (keys_of_two() < KEY_ROLES)
        (void)poll(NULL, 0, 10);
    cr_assert(zero(int, kill(child, SIGKILL)));
    cr_assert(eq(int, (int)waitpid(child, NULL, 0), (int)child));
    (void)close(reader);
}

/* Regression: the keys were there, nobody had the sheet, and a repeat refused. */
Test(pipes, keys_are_of_no_use_until_their_recovery_sheet_is_out)
{
    connect_two();
    kill_key_init();
    for (int role = 0; role < KEY_ROLES; role++)
        cr_expect(not(has_key_of_two((enum key_role)role)), "%d", role);
    cr_expect(eq(int, RUN("key", "publish", "--profile", "two"), EXIT_FAILED));
    cr_expect(strstr(desk_said, "'dugnad key init'") != NULL, "%s", desk_said);
    cr_assert(eq(int, RUN("key", "init", "--profile", "two"), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_out, "RECOVERY SHEET") != NULL, "%s", desk_out);
    cr_expect(strstr(desk_out, "PRIVATE KEY") != NULL, "%s", desk_out);
    cr_expect(strstr(desk_said, "cut short") != NULL, "%s", desk_said);
    for (int role = 0; role < KEY_ROLES; role++)
        cr_expect(has_key_of_two((enum key_role)role), "%d", role);
    cr_expect(eq(sz, keys_of_two(), KEY_ROLES));
    cr_expect(eq(int, RUN("key", "publish", "--profile", "two"), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(int, RUN("key", "init", "--profile", "two"), EXIT_FAILED));
}

/* Killed after the sheet, with some of the keys named: the same keys, and the same sheet. */
Test(pipes, a_repeat_prints_the_sheet_of_the_same_keys)
{
    static const char *const one[] = {"work-first.pem", "work.pem"};
    CLEANUP(freep) char *first = NULL, *from = NULL, *to = NULL;

    connect_two();
    kill_key_init();
    from = text_format("%s/.config/dugnad/two/keys/%s", desk_session.home, one[0]);
    to = text_format("%s/.config/dugnad/two/keys/%s", desk_session.home, one[1]);
    cr_assert(zero(int, rename(from, to)));
    write_at_home("other", "another passphrase\n");
    cr_expect(ne(int, RUN("key", "init", "--profile", "two", "--passphrase-file", at_home("other")),
                 EXIT_DONE));
    cr_expect(strstr(desk_said, "passphrase of that time") != NULL, "%s", desk_said);
    cr_assert(eq(int, RUN("key", "init", "--profile", "two", "--json"), EXIT_DONE), "%s",
              desk_said);
    first = text_copy(desk_out);
    cr_assert(zero(int, rename(to, from))); /* as if the last step had not come through */
    cr_assert(eq(int, RUN("key", "init", "--profile", "two", "--json"), EXIT_DONE), "%s",
              desk_said);
    cr_expect(eq(str, first, desk_out));
}

static void read_key_of_two(const char *name, struct buffer *ret_pem)
{
    CLEANUP(freep) char *path = text_format(".config/dugnad/two/keys/%s.pem", name);

    buffer_init(ret_pem, 16384);
    cr_assert(eq(int, desk_env.base.disk->read(desk_env.base.disk, at_home(path), ret_pem, NULL),
                 STATUS_OK),
              "%s is gone", name);
}

/* Killed after the sheet, before any key was named. Regression: a repeat that failed removed them,
 * and the sheet on paper was of keys that were nowhere. */
Test(pipes, a_repeat_that_fails_keeps_the_keys_whose_sheet_may_be_on_paper)
{
    static const char *const forms[] = {NULL, "--json"};
    CLEANUP(buffer_clear) struct buffer first = {0}, now = {0};

    connect_two();
    kill_key_init();
    read_key_of_two("root-spare-first", &first);
    write_at_home("other", "another passphrase\n");
    cr_expect(eq(int, RUN("key", "init", "--profile", "two", "--passphrase-file", at_home("other")),
                 EXIT_FAILED));
    cr_expect(strstr(desk_said, "passphrase of that time") != NULL, "%s", desk_said);
    cr_assert(eq(sz, keys_of_two(), KEY_ROLES), "with another passphrase");
    desk_out_path = "/dev/full";
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        cr_expect(eq(int, RUN("key", "init", "--profile", "two", forms[i]), EXIT_FAILED));
        cr_assert(eq(sz, keys_of_two(), KEY_ROLES), "onto a full output");
    }
    desk_out_path = NULL;
    cr_assert(eq(int, RUN("key", "init", "--profile", "two"), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_said, "cut short") != NULL, "%s", desk_said);
    read_key_of_two("root-spare", &now);
    cr_expect(eq(str, (char *)buffer_text(&now), (char *)buffer_text(&first)), "another key");
}

/* Regression: the keys stayed, nobody had the sheet, and a repeat refused. */
Test(pipes, keys_whose_recovery_sheet_could_not_be_printed_are_not_made)
{
    static const char *const forms[] = {NULL, "--json"};

    connect_two();
    desk_out_path = "/dev/full";
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        cr_expect(eq(int, RUN("key", "init", "--profile", "two", forms[i]), EXIT_FAILED));
        cr_expect(strstr(desk_said, "recovery sheet") != NULL, "%s", desk_said);
        for (int role = 0; role < KEY_ROLES; role++)
            cr_expect(not(has_key_of_two((enum key_role)role)), "%d", role);
    }
    desk_out_path = NULL;
    cr_expect(eq(int, RUN("key", "init", "--profile", "two"), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_out, "RECOVERY SHEET") != NULL);
    cr_expect(has_key_of_two(KEY_ROOT_SPARE));
}

/* --- the sheet of a spare root key that comes later --- */

/* What is printed holds the file of the spare root key as it is now; as JSON in one member. */
static void expect_sheet(bool is_json)
{
    CLEANUP(buffer_clear) struct buffer pem = {.max = 16384};
    json_auto_t *root = is_json ? json_loads(desk_out, 0, NULL) : NULL;
    const char *sheet = desk_out;

    if (is_json)
        sheet = json_string_value(json_object_get(root, "recovery_sheet"));
    cr_assert(sheet != NULL, "%s", desk_out);
    cr_assert(
        eq(int,
           desk_env.base.disk->read(desk_env.base.disk,
                                    at_home(".config/dugnad/two/keys/root-spare.pem"), &pem, NULL),
           STATUS_OK));
    cr_expect(text_starts_with(sheet, "RECOVERY SHEET"), "%s", sheet);
    cr_expect(strstr(sheet, buffer_text(&pem)) != NULL, "%s", sheet);
}

/* Regression: as JSON it had the public keys alone, and the keys were in use. */
Test(pipes, a_recovery_sheet_is_part_of_the_json)
{
    connect_two();
    cr_assert(eq(int, RUN("key", "init", "--profile", "two", "--json"), EXIT_DONE), "%s",
              desk_said);
    expect_sheet(true);
}

/* Regression: the sheet on paper was of no use any more, and nothing said so. */
Test(pipes, a_new_spare_root_key_comes_with_its_recovery_sheet)
{
    connect_two();
    cr_assert(eq(int, RUN("key", "init", "--profile", "two"), EXIT_DONE), "%s", desk_said);
    cr_assert(eq(int, RUN("key", "publish", "--profile", "two"), EXIT_DONE), "%s", desk_said);
    cr_assert(eq(int, RUN("key", "rotate", "root-spare", "--profile", "two"), EXIT_DONE), "%s",
              desk_said);
    expect_sheet(false);
    cr_assert(eq(int, RUN("key", "revoke", "root-spare", "--profile", "two", "--json"), EXIT_DONE),
              "%s", desk_said);
    expect_sheet(true);
    cr_assert(eq(int, RUN("key", "revoke", "root-spare", "--profile", "two"), EXIT_DONE), "%s",
              desk_said);
    expect_sheet(false);
    cr_assert(eq(int, RUN("key", "rotate", "root-use", "--profile", "two"), EXIT_DONE), "%s",
              desk_said);
    cr_expect(strstr(desk_out, "RECOVERY SHEET") == NULL, "the one of the spare key stays good");
}

Test(pipes, a_spare_root_key_whose_recovery_sheet_could_not_be_printed_is_not_published)
{
    connect_two();
    cr_assert(eq(int, RUN("key", "init", "--profile", "two"), EXIT_DONE), "%s", desk_said);
    cr_assert(eq(int, RUN("key", "publish", "--profile", "two"), EXIT_DONE), "%s", desk_said);
    desk_out_path = "/dev/full";
    cr_expect(eq(int, RUN("key", "rotate", "root-spare", "--profile", "two"), EXIT_FAILED));
    cr_expect(strstr(desk_said, "recovery sheet") != NULL, "%s", desk_said);
    cr_expect(eq(sz, desk_site.keyrings.count, 1));
    desk_out_path = NULL;
    cr_assert(eq(int, RUN("key", "rotate", "root-spare", "--profile", "two"), EXIT_DONE), "%s",
              desk_said);
    expect_sheet(false);
    cr_expect(eq(sz, desk_site.keyrings.count, 2));
}
