#include "tests/support/terminal.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/program.h"
#include "common/base/disk.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "common/env/real.h"
#include "tests/support/ending.h"

#define STARTS_WITHIN_S 10

struct terminal terminal;

static bool has_terminal(void)
{
    return terminal.is_there;
}

static bool confirm(const char *question)
{
    size_t length = strlen(terminal.asked);

    (void)text_fit(terminal.asked + length, sizeof terminal.asked - length, question);
    return *terminal.answers != '\0' && *terminal.answers++ == 'y';
}

static char *absolute(const char *name)
{
    return realpath(name, NULL);
}

static enum status open_http(struct http_client **ret_http, struct error *err)
{
    (void)err;
    *ret_http = &terminal.site.net.base;
    return STATUS_OK;
}

static enum status open_launcher(struct client_world *world, struct launcher **ret_launcher,
                                 struct error *err)
{
    (void)world;
    (void)err;
    *ret_launcher = &terminal.launcher.base;
    return STATUS_OK;
}

static int in_world(int stop_descriptor, size_t count, const char *const *words)
{
    struct client_world world = {.env = &terminal.env.base,
                                 .home = terminal.path,
                                 .stop_descriptor = stop_descriptor,
                                 .open_http = open_http,
                                 .open_launcher = open_launcher,
                                 .confirm = confirm,
                                 .has_terminal = has_terminal,
                                 .absolute = absolute};

    return client_program_run(&world, (int)count, words);
}

static void read_said(int from)
{
    ssize_t length;

    cr_assert(lseek(from, 0, SEEK_SET) == 0);
    length = read(from, terminal.said, sizeof terminal.said - 1);
    cr_assert(length >= 0);
    terminal.said[length] = '\0';
}

int terminal_run(size_t count, const char *const *words)
{
    int out = dup(1), err = dup(2);
    char name[] = "/tmp/dugnad-said-XXXXXX";
    int to = mkstemp(name);
    int code;

    cr_assert(to >= 0 && unlink(name) == 0);
    (void)fflush(NULL);
    cr_assert(dup2(to, 1) == 1 && dup2(to, 2) == 2);
    code = in_world(-1, count, words);
    (void)fflush(NULL);
    cr_assert(dup2(out, 1) == 1 && dup2(err, 2) == 2);
    read_said(to);
    (void)close(out);
    (void)close(err);
    (void)close(to);
    return code;
}

bool terminal_says(const char *words)
{
    return strstr(terminal.said, words) != NULL;
}

size_t terminal_count_said(const char *words)
{
    size_t count = 0;

    for (const char *at = terminal.said; (at = strstr(at, words)) != NULL; at += strlen(words))
        count++;
    return count;
}

void terminal_set_link(void)
{
    char id[BASE64URL_CHARS(DIGEST_BYTES) + 1];

    base64url_encode(terminal.site.sample.project.bytes, DIGEST_BYTES, id);
    (void)snprintf(terminal.link, sizeof terminal.link, "%s#%s", FAKE_SITE_URL, id);
}

/* Two processes wait for each other here: by the clock of the world, too. */
static void sleep_really(struct env *its, int64_t ms)
{
    (void)its;
    (void)usleep((useconds_t)ms * 1000);
    fake_env_pass(&terminal.env, ms);
}

void terminal_set_up(void)
{
    log_init(NULL, LOG_ERROR, 2);
    (void)strcpy(terminal.path, "/tmp/dugnad-verbs-XXXXXX");
    cr_assert(mkdtemp(terminal.path) != NULL);
    fake_env_init(&terminal.env, 7);
    terminal.env.base.sleep_ms = sleep_really;
    terminal.env.now_s = SAMPLE_NOW_S;
    fake_launcher_init(&terminal.launcher, &terminal.env.base);
    terminal.launcher.duration_ms = 0;
    fake_site_init(&terminal.site, 2);
    terminal_set_link();
    terminal.is_there = false;
    terminal.answers = "";
    terminal.asked[0] = '\0';
}

void terminal_tear_down(void)
{
    END_MUST(terminal.site.broken[0] == '\0');
    fake_site_clear(&terminal.site);
    END_MUST(disk_real()->remove_tree(disk_real(), terminal.path, NULL) == STATUS_OK);
}

bool terminal_daemon_answers(void)
{
    cr_assert(eq(int, CLIENT("status"), 0), "%s", terminal.said);
    return !terminal_says("The daemon does not run");
}

struct terminal_daemon terminal_daemon_start_unwatched(void)
{
    static const char *const words[] = {"dugnad-client", "run", "--log", "error"};
    struct terminal_daemon it;
    int ends[2];

    cr_assert(pipe(ends) == 0);
    (void)fflush(NULL);
    it = (struct terminal_daemon){.pid = fork(), .stop = ends[1]};
    cr_assert(it.pid >= 0);
    if (it.pid == 0) {
        (void)close(ends[1]);
        _exit(in_world(ends[0], 4, words));
    }
    (void)close(ends[0]);
    return it;
}

void terminal_await_daemon(void)
{
    for (int i = 0; i < STARTS_WITHIN_S * 20 && !terminal_daemon_answers(); i++)
        (void)usleep(50000);
}

struct terminal_daemon terminal_daemon_start(void)
{
    struct terminal_daemon it = terminal_daemon_start_unwatched();

    terminal_await_daemon();
    return it;
}

int terminal_daemon_end(struct terminal_daemon *it)
{
    int status = 0;

    (void)close(it->stop);
    cr_assert(waitpid(it->pid, &status, 0) == it->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void terminal_expect_not_attached(void)
{
    cr_expect(eq(int, CLIENT("status"), 0));
    cr_expect(terminal_says("No project is attached"), "%s", terminal.said);
}
