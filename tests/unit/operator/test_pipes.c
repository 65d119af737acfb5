/* Tokens, passphrases and certificates that come through pipes. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
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
