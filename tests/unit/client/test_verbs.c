/* The verbs of dugnad-client, whole, with and without a daemon, and with a person or nobody there.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/program.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "common/env/real.h"
#include "tests/support/ending.h"
#include "tests/support/fake_env.h"
#include "tests/support/fake_launcher.h"
#include "tests/support/fake_site.h"

#define STARTS_WITHIN_S 10

static char path[64];
static struct fake_env env;
static struct fake_launcher launcher;
static struct fake_site site;
static char said[16384]; /* by the last verb, on both streams */
static char link_text[256];

/* The person at the terminal. */
static bool is_there;
static const char *answers; /* one letter a question; what is left of them */
static char asked[2048];    /* all questions */

static bool has_terminal(void)
{
    return is_there;
}

static bool confirm(const char *question)
{
    size_t length = strlen(asked);

    (void)text_fit(asked + length, sizeof asked - length, question);
    return *answers != '\0' && *answers++ == 'y';
}

static char *absolute(const char *name)
{
    return realpath(name, NULL);
}

static enum status open_http(struct http_client **ret_http, struct error *err)
{
    (void)err;
    *ret_http = &site.net.base;
    return STATUS_OK;
}

static enum status open_launcher(struct client_world *world, struct launcher **ret_launcher,
                                 struct error *err)
{
    (void)world;
    (void)err;
    *ret_launcher = &launcher.base;
    return STATUS_OK;
}

static int in_world(int stop_descriptor, size_t count, const char *const *words)
{
    struct client_world world = {.env = &env.base,
                                 .home = path,
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
    length = read(from, said, sizeof said - 1);
    cr_assert(length >= 0);
    said[length] = '\0';
}

/* Runs a verb; what it says goes to `said`. */
static int run(size_t count, const char *const *words)
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

#define CLIENT(...)                                                                                \
    run(sizeof((const char *[]){"dugnad-client", __VA_ARGS__}) / sizeof(char *),                   \
        (const char *[]){"dugnad-client", __VA_ARGS__})

static bool says(const char *words)
{
    return strstr(said, words) != NULL;
}

static size_t count_said(const char *words)
{
    size_t count = 0;

    for (const char *at = said; (at = strstr(at, words)) != NULL; at += strlen(words))
        count++;
    return count;
}

static void set_link(void)
{
    char id[BASE64URL_CHARS(DIGEST_BYTES) + 1];

    base64url_encode(site.sample.project.bytes, DIGEST_BYTES, id);
    (void)snprintf(link_text, sizeof link_text, "%s#%s", FAKE_SITE_URL, id);
}

/* Two processes wait for each other here: by the clock of the world, too. */
static void sleep_really(struct env *its, int64_t ms)
{
    (void)its;
    (void)usleep((useconds_t)ms * 1000);
    fake_env_pass(&env, ms);
}

static void set_up(void)
{
    log_init(NULL, LOG_ERROR, 2);
    (void)strcpy(path, "/tmp/dugnad-verbs-XXXXXX");
    cr_assert(mkdtemp(path) != NULL);
    fake_env_init(&env, 7);
    env.base.sleep_ms = sleep_really;
    env.now_s = SAMPLE_NOW_S;
    fake_launcher_init(&launcher, &env.base);
    launcher.duration_ms = 0;
    fake_site_init(&site, 2);
    set_link();
    is_there = false;
    answers = "";
    asked[0] = '\0';
}

static void tear_down(void)
{
    END_MUST(site.broken[0] == '\0');
    fake_site_clear(&site);
    END_MUST(disk_real()->remove_tree(disk_real(), path, NULL) == STATUS_OK);
}

TestSuite(verbs, .init = set_up, .fini = tear_down, .timeout = 60);

/* --- a daemon in a process of its own, with a world of its own --- */

struct daemon_process {
    pid_t pid;
    int stop; /* its end stops the daemon */
};

static bool daemon_answers(void)
{
    cr_assert(eq(int, CLIENT("status"), 0), "%s", said);
    return !says("The daemon does not run");
}

static struct daemon_process daemon_start_unwatched(void)
{
    static const char *const words[] = {"dugnad-client", "run", "--log", "error"};
    struct daemon_process it;
    int ends[2];

    cr_assert(pipe(ends) == 0);
    (void)fflush(NULL);
    it = (struct daemon_process){.pid = fork(), .stop = ends[1]};
    cr_assert(it.pid >= 0);
    if (it.pid == 0) {
        (void)close(ends[1]);
        _exit(in_world(ends[0], 4, words));
    }
    (void)close(ends[0]);
    return it;
}

static void await_daemon(void)
{
    for (int i = 0; i < STARTS_WITHIN_S * 20 && !daemon_answers(); i++)
        (void)usleep(50000);
}

static struct daemon_process daemon_start(void)
{
    struct daemon_process it = daemon_start_unwatched();

    await_daemon();
    return it;
}

static int daemon_end(struct daemon_process *it)
{
    int status = 0;

    (void)close(it->stop);
    cr_assert(waitpid(it->pid, &status, 0) == it->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* --- attach --- */

static void expect_not_attached(void)
{
    cr_expect(eq(int, CLIENT("status"), 0));
    cr_expect(says("No project is attached"), "%s", said);
}

Test(verbs, a_yes_at_the_terminal_attaches)
{
    is_there = true;
    answers = "y";
    cr_expect(eq(int, CLIENT("attach", link_text), 0), "%s", said);
    cr_expect(strstr(asked, "able to read your files") != NULL, "what is agreed to is told");
    cr_expect(says("Attached to A sample"));
    cr_expect(says("dugnad-client run"), "it says that no daemon runs");
    cr_expect(eq(int, CLIENT("status", "--json"), 0));
    cr_expect(says("\"native_allowed\":true"));
}

Test(verbs, a_no_at_the_terminal_attaches_nothing)
{
    is_there = true;
    answers = "n";
    cr_expect(eq(int, CLIENT("attach", link_text), EXIT_NOT_AGREED));
    expect_not_attached();
}

Test(verbs, without_a_terminal_attach_needs_a_yes_on_the_command_line)
{
    cr_expect(eq(int, CLIENT("attach", link_text), EXIT_NOT_AGREED));
    cr_expect(says("--yes"));
    expect_not_attached();
    cr_expect(eq(int, CLIENT("attach", link_text, "--yes"), 0), "%s", said);
    cr_expect(eq(str, asked, ""));
    cr_expect(eq(int, CLIENT("status"), 0));
    cr_expect(says("A sample"));
}

Test(verbs, a_link_without_id_shows_the_one_that_the_server_gave_and_asks)
{
    is_there = true;
    answers = "yy";
    cr_expect(eq(int, CLIENT("attach", FAKE_SITE_URL), 0), "%s", said);
    cr_expect(says("The server itself says"));
    cr_expect(says(link_text), "the whole link is shown: %s", said);
    cr_expect(text_starts_with(asked, "Is that the project's id?"));
}

Test(verbs, a_link_without_id_and_a_no_attaches_nothing)
{
    is_there = true;
    answers = "ny";
    cr_expect(eq(int, CLIENT("attach", FAKE_SITE_URL), EXIT_NOT_AGREED));
    expect_not_attached();
}

Test(verbs, a_link_without_id_is_refused_where_nobody_can_check_it)
{
    cr_expect(eq(int, CLIENT("attach", FAKE_SITE_URL, "--yes"), EXIT_NOT_AGREED));
    cr_expect(says("whole link"));
    expect_not_attached();
}

Test(verbs, another_projects_link_is_refused_as_untrusted)
{
    link_text[strlen(link_text) - 2] = link_text[strlen(link_text) - 2] == 'A' ? 'B' : 'A';
    cr_expect(eq(int, CLIENT("attach", link_text, "--yes"), EXIT_UNTRUSTED));
    cr_expect(says("another project"));
    expect_not_attached();
}

static enum fake_fate never(void *context, const struct fake_request *request)
{
    (void)context;
    (void)request;
    return FATE_LOST_REQUEST;
}

static void sleep_by_the_clock(struct env *its, int64_t ms)
{
    (void)its;
    fake_env_pass(&env, ms);
}

Test(verbs, a_server_that_does_not_answer_has_an_exit_code_of_its_own)
{
    int64_t began_ms = env.now_mono_ms;

    env.base.sleep_ms = sleep_by_the_clock;
    site.net.fate = never;
    cr_expect(eq(int, CLIENT("attach", link_text, "--yes"), EXIT_UNREACHABLE));
    cr_expect(eq(sz, count_said("trying again in"), 4), "%s", said);
    cr_expect(eq(i64, env.now_mono_ms - began_ms, 15000));
    expect_not_attached();
}

static int to_lose;

static enum fake_fate lose_some(void *context, const struct fake_request *request)
{
    (void)context;
    (void)request;
    return to_lose-- > 0 ? FATE_LOST_REPLY : FATE_DELIVERED;
}

Test(verbs, attach_tries_again_where_the_connection_broke_and_says_so)
{
    env.base.sleep_ms = sleep_by_the_clock;
    site.net.fate = lose_some;
    to_lose = 2;
    cr_expect(eq(int, CLIENT("attach", link_text, "--yes"), 0), "%s", said);
    cr_expect(says("trying again in 1 s") && says("trying again in 2 s"), "%s", said);
    cr_expect(says("Attached to A sample"), "%s", said);
}

static enum fake_fate lose_posts(void *context, const struct fake_request *request)
{
    return request->method == HTTP_POST ? lose_some(context, request) : FATE_DELIVERED;
}

Test(verbs, account_new_tries_again_where_the_connection_broke)
{
    env.base.sleep_ms = sleep_by_the_clock;
    site.net.fate = lose_posts;
    to_lose = 1;
    cr_expect(eq(int, CLIENT("account", "new", link_text), 0), "%s", said);
    cr_expect(says("trying again in 1 s"), "%s", said);
    cr_expect(says(site.account.text), "%s", said);
}

Test(verbs, attaching_to_a_running_daemon_waits_for_its_enrolment)
{
    struct daemon_process it = daemon_start();

    cr_expect(eq(int, CLIENT("attach", link_text, "--yes"), 0), "%s", said);
    cr_expect(says("enrolled as host 7"), "%s", said);
    cr_expect(eq(int, daemon_end(&it), 0));
}

/* --- accounts --- */

Test(verbs, a_new_accounts_key_is_printed_alone_and_can_be_attached_with)
{
    cr_assert(eq(int, CLIENT("account", "new", link_text, "--name", "Kari"), 0), "%s", said);
    cr_expect(eq(str, site.account_name, "Kari"));
    cr_assert(eq(sz, strlen(said), TOKEN_CHARS + 1));
    said[TOKEN_CHARS] = '\0';
    cr_expect(eq(str, said, site.account.text));
    cr_expect(eq(int, CLIENT("attach", link_text, "--yes", "--account", site.account.text), 0));
}

Test(verbs, half_an_account_key_is_refused)
{
    cr_expect(
        eq(int, CLIENT("attach", link_text, "--yes", "--account", "aaaa"), OPTIONS_EXIT_USAGE));
    cr_expect(says("copied whole"));
    expect_not_attached();
}

Test(verbs, an_account_that_the_server_does_not_know_is_refused)
{
    static const char *unknown = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    cr_expect(eq(int, CLIENT("attach", link_text, "--yes", "--account", unknown), EXIT_FAILED),
              "%s", said);
    cr_expect(says("there is no account with this key"), "%s", said);
    expect_not_attached();
}

/* --- wrong values are a wrong command line --- */

Test(verbs, a_link_that_is_none_is_a_wrong_command_line)
{
    cr_expect(eq(int, CLIENT("attach", "http://grid.example/", "--yes"), OPTIONS_EXIT_USAGE));
    cr_expect(eq(int, CLIENT("attach", FAKE_SITE_URL "#aaa", "--yes"), OPTIONS_EXIT_USAGE));
    cr_expect(says("43 characters"), "%s", said);
    cr_expect(eq(int, CLIENT("account", "new", FAKE_SITE_URL "#aaa"), OPTIONS_EXIT_USAGE));
    cr_expect(says("See 'dugnad-client account new --help'."), "%s", said);
}

Test(verbs, wrong_values_of_options_are_a_wrong_command_line)
{
    cr_expect(eq(int, CLIENT("run", "--set", "bogus=1"), OPTIONS_EXIT_USAGE));
    cr_expect(says("bogus"), "%s", said);
    cr_expect(eq(int, CLIENT("run", "--set", "cores=0"), OPTIONS_EXIT_USAGE));
    cr_expect(eq(int, CLIENT("run", "--set", "cores"), OPTIONS_EXIT_USAGE));
    cr_expect(eq(int, CLIENT("run", "--log", "loud"), OPTIONS_EXIT_USAGE));
    cr_expect(eq(int, CLIENT("attach", link_text, "--yes", "--name", "a\nb"), OPTIONS_EXIT_USAGE));
    expect_not_attached();
}

Test(verbs, the_first_word_of_a_verb_of_two_has_help)
{
    cr_expect(eq(int, CLIENT("account", "--help"), 0));
    cr_expect(says("Make an account, for several computers of one person"), "%s", said);
    cr_expect(not(says("Compute nothing until resumed")), "not the general help: %s", said);
}

/* --- detach --- */

Test(verbs, detach_removes_the_project_where_no_daemon_runs)
{
    cr_assert(eq(int, CLIENT("attach", link_text, "--yes"), 0));
    cr_expect(eq(int, CLIENT("detach", "Some other"), EXIT_FAILED));
    cr_expect(says("no attached project is called so"));
    cr_expect(eq(int, CLIENT("detach", "A sample"), 0), "%s", said);
    expect_not_attached();
    cr_expect(eq(int, CLIENT("detach", "A sample"), EXIT_FAILED));
}

Test(verbs, detach_removes_the_project_of_a_running_daemon)
{
    struct daemon_process it = daemon_start();

    cr_assert(eq(int, CLIENT("attach", link_text, "--yes"), 0));
    cr_expect(eq(int, CLIENT("detach", FAKE_SITE_URL, "--yes"), 0), "%s", said);
    expect_not_attached();
    cr_expect(eq(int, daemon_end(&it), 0));
    expect_not_attached();
}

static enum fake_fate loses_all_after_the_first_visit(void *context,
                                                      const struct fake_request *request)
{
    const struct fake_site *its = context;

    return its->visits > 0 && strcmp(request->path, "/v1/scheduler") == 0 ? FATE_LOST_REQUEST
                                                                          : FATE_DELIVERED;
}

Test(verbs, detach_asks_for_a_yes_where_finished_work_would_be_lost)
{
    struct daemon_process it;

    site.net.fate = loses_all_after_the_first_visit;
    it = daemon_start();
    cr_assert(eq(int, CLIENT("attach", link_text, "--yes"), 0));
    for (int i = 0; i < 100 && !says("finished,"); i++)
        cr_assert(eq(int, CLIENT("status"), 0));
    for (int i = 0; i < 100 && says(" 0 finished"); i++) {
        (void)usleep(50000);
        cr_assert(eq(int, CLIENT("status"), 0));
    }
    cr_expect(eq(int, CLIENT("detach", "A sample"), EXIT_FAILED));
    cr_expect(says("have not reached the server"), "%s", said);
    cr_expect(says("--yes"));
    cr_expect(eq(int, CLIENT("detach", "A sample", "--yes"), 0), "%s", said);
    expect_not_attached();
    cr_expect(eq(int, daemon_end(&it), 0));
}

/* --- pause --- */

static bool is_paused(void)
{
    cr_assert(eq(int, CLIENT("status"), 0));
    return says("Paused.");
}

Test(verbs, a_pause_survives_the_daemon_and_ends_with_resume)
{
    struct daemon_process it = daemon_start();

    cr_expect(not(is_paused()));
    cr_expect(eq(int, CLIENT("pause"), 0));
    cr_expect(is_paused());
    cr_expect(eq(int, daemon_end(&it), 0));
    cr_expect(is_paused());
    it = daemon_start();
    cr_expect(is_paused());
    cr_expect(eq(int, CLIENT("resume"), 0));
    cr_expect(not(is_paused()));
    cr_expect(eq(int, daemon_end(&it), 0));
    cr_expect(not(is_paused()));
}

Test(verbs, pause_and_resume_work_without_a_daemon)
{
    cr_expect(eq(int, CLIENT("pause"), 0));
    cr_expect(is_paused());
    cr_expect(eq(int, CLIENT("resume"), 0));
    cr_expect(not(is_paused()));
    cr_expect(eq(int, CLIENT("resume"), 0), "twice is fine");
}

/* --- several --- */

Test(verbs, a_second_daemon_is_refused_with_its_own_exit_code)
{
    struct daemon_process it = daemon_start();

    cr_expect(eq(int, CLIENT("run"), EXIT_BUSY));
    cr_expect(says("another dugnad-client"));
    cr_expect(daemon_answers(), "the first goes on");
    cr_expect(eq(int, daemon_end(&it), 0));
}

/* The site shows another project from now on. */
static void change_project(void)
{
    struct envelope *keyring = &site.keyring;

    site.sample.keyring.expires_s -= 1;
    envelope_clear(keyring);
    *keyring = sample_seal_keyring(&site.sample);
    site.sample.project = keyring->digest;
    site.sample.freshness.project = keyring->digest;
    site.sample.freshness.keyring = keyring->digest;
    envelope_clear(&site.freshness);
    site.freshness = sample_seal_freshness(&site.sample);
    set_link();
}

Test(verbs, several_projects_are_kept_apart_by_id_name_and_url)
{
    char first[sizeof link_text];

    (void)strcpy(first, link_text);
    cr_assert(eq(int, CLIENT("attach", first, "--yes"), 0), "%s", said);
    change_project();
    cr_assert(eq(int, CLIENT("attach", link_text, "--yes"), 0), "%s", said);
    cr_expect(eq(int, CLIENT("status"), 0));
    cr_expect(eq(sz, count_said(FAKE_SITE_URL), 2));
    cr_expect(eq(int, CLIENT("detach", "A sample"), EXIT_FAILED));
    cr_expect(says("name its id"));
    cr_assert(eq(int, CLIENT("attach", link_text, "--yes", "--name", "Other"), 0));
    cr_expect(eq(int, CLIENT("detach", "Other"), 0), "%s", said);
    cr_expect(eq(int, CLIENT("status"), 0));
    cr_expect(eq(sz, count_said("A sample"), 1), "the first is left");
    cr_expect(eq(int, CLIENT("detach", strchr(first, '#') + 1), 0), "by its id: %s", said);
    expect_not_attached();
}

/* Another process has the folder's lock for half a second from now on. */
static pid_t hold_folder(void)
{
    struct disk_path lock;
    int ends[2];
    char told;
    pid_t holder;

    cr_assert(
        eq(int, disk_join(&lock, NULL, "%s/.local/share/dugnad-client/lock", path), STATUS_OK));
    cr_assert(pipe(ends) == 0);
    holder = fork();
    cr_assert(holder >= 0);
    if (holder == 0) {
        struct disk_file *held = NULL;
        bool is_held = env.base.disk->lock(env.base.disk, lock.text, &held, NULL) == STATUS_OK;

        is_held = is_held && write(ends[1], "!", 1) == 1;
        (void)usleep(500000);
        _exit(is_held ? 0 : 1);
    }
    cr_assert(read(ends[0], &told, 1) == 1);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return holder;
}

/* A status at the moment a daemon started held the lock, and the daemon gave up. */
Test(verbs, a_daemon_waits_for_a_verb_that_holds_the_folder)
{
    struct daemon_process it;
    pid_t holder;
    int status = 1;

    cr_assert(eq(int, CLIENT("status"), 0));
    holder = hold_folder();
    it = daemon_start_unwatched();
    cr_assert(waitpid(holder, &status, 0) == holder);
    cr_expect(eq(int, status, 0));
    await_daemon();
    cr_expect(eq(int, daemon_end(&it), 0));
}
