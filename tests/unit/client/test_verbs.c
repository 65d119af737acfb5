/* The verbs of dugnad-client, whole: attach and account, with a person or nobody there. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "client/program.h"
#include "common/base/text.h"
#include "tests/support/failing_disk.h"
#include "tests/support/terminal.h"

TestSuite(verbs, .init = terminal_set_up, .fini = terminal_tear_down, .timeout = 60);

/* --- attach --- */

Test(verbs, a_yes_at_the_terminal_attaches)
{
    terminal.is_there = true;
    terminal.answers = "y";
    cr_expect(eq(int, CLIENT("attach", terminal.link), 0), "%s", terminal.said);
    cr_expect(strstr(terminal.asked, "able to read your files") != NULL,
              "what is agreed to is told");
    cr_expect(terminal_says("Attached to A sample"));
    cr_expect(terminal_says("dugnad-client run"), "it says that no daemon runs");
    cr_expect(eq(int, CLIENT("status", "--json"), 0));
    cr_expect(terminal_says("\"native_allowed\":true"));
}

/* Its settings are the daemon's to know: by the defaults a small disk may seem too small. */
Test(verbs, without_a_daemon_nobody_judges_the_disk)
{
    static struct failing_disk small;

    failing_disk_init(&small, terminal.env.base.disk);
    small.told = (struct disk_space){.total_bytes = 1 << 30, .free_bytes = 1 << 20};
    terminal.env.base.disk = &small.base;
    cr_assert(eq(int, CLIENT("attach", terminal.link, "--yes"), 0), "%s", terminal.said);
    cr_expect(not(terminal_says("disk.short")), "%s", terminal.said);
    cr_expect(eq(int, CLIENT("status"), 0));
    cr_expect(not(terminal_says("disk.short")), "%s", terminal.said);
    terminal.env.base.disk = small.real;
}

Test(verbs, a_no_at_the_terminal_attaches_nothing)
{
    terminal.is_there = true;
    terminal.answers = "n";
    cr_expect(eq(int, CLIENT("attach", terminal.link), EXIT_NOT_AGREED));
    terminal_expect_not_attached();
}

Test(verbs, without_a_terminal_attach_needs_a_yes_on_the_command_line)
{
    cr_expect(eq(int, CLIENT("attach", terminal.link), EXIT_NOT_AGREED));
    cr_expect(terminal_says("--yes"));
    terminal_expect_not_attached();
    cr_expect(eq(int, CLIENT("attach", terminal.link, "--yes"), 0), "%s", terminal.said);
    cr_expect(eq(str, terminal.asked, ""));
    cr_expect(eq(int, CLIENT("status"), 0));
    cr_expect(terminal_says("A sample"));
}

Test(verbs, a_link_without_id_shows_the_one_that_the_server_gave_and_asks)
{
    terminal.is_there = true;
    terminal.answers = "yy";
    cr_expect(eq(int, CLIENT("attach", FAKE_SITE_URL), 0), "%s", terminal.said);
    cr_expect(terminal_says("The server itself says"));
    cr_expect(terminal_says(terminal.link), "the whole link is shown: %s", terminal.said);
    cr_expect(text_starts_with(terminal.asked, "Is that the project's id?"));
}

Test(verbs, a_link_without_id_and_a_no_attaches_nothing)
{
    terminal.is_there = true;
    terminal.answers = "ny";
    cr_expect(eq(int, CLIENT("attach", FAKE_SITE_URL), EXIT_NOT_AGREED));
    terminal_expect_not_attached();
}

Test(verbs, a_link_without_id_is_refused_where_nobody_can_check_it)
{
    cr_expect(eq(int, CLIENT("attach", FAKE_SITE_URL, "--yes"), EXIT_NOT_AGREED));
    cr_expect(terminal_says("whole link"));
    terminal_expect_not_attached();
}

Test(verbs, another_projects_link_is_refused_as_untrusted)
{
    terminal.link[strlen(terminal.link) - 2] =
        terminal.link[strlen(terminal.link) - 2] == 'A' ? 'B' : 'A';
    cr_expect(eq(int, CLIENT("attach", terminal.link, "--yes"), EXIT_UNTRUSTED));
    cr_expect(terminal_says("another project"));
    terminal_expect_not_attached();
}

/* The link is as old as the project; the keyring says where that is now. */
Test(verbs, an_old_link_leads_to_where_the_project_is_now)
{
    struct keyring *keyring = &terminal.site.sample.keyring;
    struct freshness *freshness = &terminal.site.sample.freshness;

    keyring->version++;
    texts_clear(&keyring->urls);
    texts_add(&keyring->urls, "https://127.0.0.1:9443");
    envelope_clear(&terminal.site.keyring);
    terminal.site.keyring = sample_seal_keyring(&terminal.site.sample);
    freshness->keyring_version = keyring->version;
    freshness->keyring = terminal.site.keyring.digest;
    envelope_clear(&terminal.site.freshness);
    terminal.site.freshness = sample_seal_freshness(&terminal.site.sample);
    terminal.site.shows_first_keyring = true;
    cr_expect(eq(int, CLIENT("attach", terminal.link, "--yes"), 0), "%s", terminal.said);
    cr_expect(terminal_says("has moved"), "%s", terminal.said);
    cr_expect(terminal_says("Attached to A sample (https://127.0.0.1:9443)"), "%s", terminal.said);
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
    fake_env_pass(&terminal.env, ms);
}

Test(verbs, a_server_that_does_not_answer_has_an_exit_code_of_its_own)
{
    int64_t began_ms = terminal.env.now_mono_ms;

    terminal.env.base.sleep_ms = sleep_by_the_clock;
    terminal.site.net.fate = never;
    cr_expect(eq(int, CLIENT("attach", terminal.link, "--yes"), EXIT_UNREACHABLE));
    cr_expect(eq(sz, terminal_count_said("trying again in"), 4), "%s", terminal.said);
    cr_expect(eq(i64, terminal.env.now_mono_ms - began_ms, 15000));
    terminal_expect_not_attached();
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
    terminal.env.base.sleep_ms = sleep_by_the_clock;
    terminal.site.net.fate = lose_some;
    to_lose = 2;
    cr_expect(eq(int, CLIENT("attach", terminal.link, "--yes"), 0), "%s", terminal.said);
    cr_expect(terminal_says("trying again in 1 s") && terminal_says("trying again in 2 s"), "%s",
              terminal.said);
    cr_expect(terminal_says("Attached to A sample"), "%s", terminal.said);
}

/* As curl ends an attempt whose handshake an overloaded server does not get to in 20 s. */
static enum fake_fate time_out_some(void *context, const struct fake_request *request)
{
    if (to_lose > 0)
        fake_env_pass(&terminal.env, 20000);
    return lose_some(context, request);
}

Test(verbs, attach_tries_again_where_an_honest_server_was_slower_than_one_attempt)
{
    terminal.env.base.sleep_ms = sleep_by_the_clock;
    terminal.site.net.fate = time_out_some;
    to_lose = 4;
    cr_expect(eq(int, CLIENT("attach", terminal.link, "--yes"), 0), "%s", terminal.said);
    cr_expect(eq(sz, terminal_count_said("trying again in"), 4), "%s", terminal.said);
    cr_expect(terminal_says("Attached to A sample"), "%s", terminal.said);
}

static enum fake_fate lose_posts(void *context, const struct fake_request *request)
{
    return request->method == HTTP_POST ? lose_some(context, request) : FATE_DELIVERED;
}

Test(verbs, account_new_tries_again_where_the_connection_broke)
{
    terminal.env.base.sleep_ms = sleep_by_the_clock;
    terminal.site.net.fate = lose_posts;
    to_lose = 1;
    cr_expect(eq(int, CLIENT("account", "new", terminal.link), 0), "%s", terminal.said);
    cr_expect(terminal_says("trying again in 1 s"), "%s", terminal.said);
    cr_expect(terminal_says(terminal.site.account.text), "%s", terminal.said);
}

Test(verbs, attaching_to_a_running_daemon_waits_for_its_enrolment)
{
    struct terminal_daemon it = terminal_daemon_start();

    cr_expect(eq(int, CLIENT("attach", terminal.link, "--yes"), 0), "%s", terminal.said);
    cr_expect(terminal_says("enrolled as host 7"), "%s", terminal.said);
    cr_expect(eq(int, terminal_daemon_end(&it), 0));
}

/* --- accounts --- */

Test(verbs, a_new_accounts_key_is_printed_alone_and_can_be_attached_with)
{
    cr_assert(eq(int, CLIENT("account", "new", terminal.link, "--name", "Kari"), 0), "%s",
              terminal.said);
    cr_expect(eq(str, terminal.site.account_name, "Kari"));
    cr_assert(eq(sz, strlen(terminal.said), TOKEN_CHARS + 1));
    terminal.said[TOKEN_CHARS] = '\0';
    cr_expect(eq(str, terminal.said, terminal.site.account.text));
    cr_expect(eq(
        int, CLIENT("attach", terminal.link, "--yes", "--account", terminal.site.account.text), 0));
}

Test(verbs, half_an_account_key_is_refused)
{
    cr_expect(
        eq(int, CLIENT("attach", terminal.link, "--yes", "--account", "aaaa"), OPTIONS_EXIT_USAGE));
    cr_expect(terminal_says("copied whole"));
    terminal_expect_not_attached();
}

Test(verbs, an_account_that_the_server_does_not_know_is_refused)
{
    static const char *unknown = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    cr_expect(eq(int, CLIENT("attach", terminal.link, "--yes", "--account", unknown), EXIT_FAILED),
              "%s", terminal.said);
    cr_expect(terminal_says("there is no account with this key"), "%s", terminal.said);
    terminal_expect_not_attached();
}

/* --- wrong values are a wrong command line --- */

Test(verbs, a_link_that_is_none_is_a_wrong_command_line)
{
    cr_expect(eq(int, CLIENT("attach", "http://grid.example/", "--yes"), OPTIONS_EXIT_USAGE));
    cr_expect(eq(int, CLIENT("attach", FAKE_SITE_URL "#aaa", "--yes"), OPTIONS_EXIT_USAGE));
    cr_expect(terminal_says("43 characters"), "%s", terminal.said);
    cr_expect(eq(int, CLIENT("account", "new", FAKE_SITE_URL "#aaa"), OPTIONS_EXIT_USAGE));
    cr_expect(terminal_says("See 'dugnad-client account new --help'."), "%s", terminal.said);
}

Test(verbs, wrong_values_of_options_are_a_wrong_command_line)
{
    cr_expect(eq(int, CLIENT("run", "--set", "bogus=1"), OPTIONS_EXIT_USAGE));
    cr_expect(terminal_says("bogus"), "%s", terminal.said);
    cr_expect(eq(int, CLIENT("run", "--set", "cores=0"), OPTIONS_EXIT_USAGE));
    cr_expect(eq(int, CLIENT("run", "--set", "cores"), OPTIONS_EXIT_USAGE));
    cr_expect(eq(int, CLIENT("run", "--set", "retry_first=10m", "--set", "retry_last=5m"),
                 OPTIONS_EXIT_USAGE));
    cr_expect(eq(int, CLIENT("run", "--log", "loud"), OPTIONS_EXIT_USAGE));
    cr_expect(
        eq(int, CLIENT("attach", terminal.link, "--yes", "--name", "a\nb"), OPTIONS_EXIT_USAGE));
    terminal_expect_not_attached();
}

/* Regression: it was ignored. */
Test(verbs, what_needs_no_data_folder_takes_none)
{
    cr_expect(eq(int, CLIENT("config", "--data", "/none"), OPTIONS_EXIT_USAGE));
    cr_expect(eq(int, CLIENT("manual", "--data", "/none"), OPTIONS_EXIT_USAGE));
    terminal_expect_not_attached();
}

Test(verbs, the_first_word_of_a_verb_of_two_has_help)
{
    cr_expect(eq(int, CLIENT("account", "--help"), 0));
    cr_expect(terminal_says("Make an account, for several computers of one person"), "%s",
              terminal.said);
    cr_expect(not(terminal_says("Compute nothing until resumed")), "not the general help: %s",
              terminal.said);
}

/* Regression: "Paused", with 0, and the folder was made. */
Test(verbs, a_folder_that_is_no_clients_is_neither_paused_nor_made)
{
    static const char *const verbs[] = {"status", "pause", "resume"};
    CLEANUP(freep) char *nowhere = text_format("%s/nowhere", terminal.path);

    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        cr_expect(eq(int, CLIENT(verbs[i], "--data", nowhere), EXIT_FAILED), "%s", verbs[i]);
        cr_expect(terminal_says("nowhere is no client's data folder"), "%s", terminal.said);
        cr_expect(eq(int, CLIENT(verbs[i], "--data", terminal.path), EXIT_FAILED), "%s", verbs[i]);
    }
    cr_expect(eq(int, CLIENT("detach", "--all", "--data", nowhere), EXIT_FAILED));
    cr_expect(terminal_says("no client's data folder"), "%s", terminal.said);
    cr_expect(not(disk_has(terminal.env.base.disk, nowhere)));
}
