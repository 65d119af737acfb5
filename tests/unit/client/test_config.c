/* client/config: settings are read from their table, and wrong ones are named. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/config.h"
#include "common/env/real.h"

static struct config config;
static struct error err;

static void set_up(void)
{
    client_config_init(&config);
}

TestSuite(client_config, .init = set_up);

static enum status read_text(const char *text)
{
    char path[] = "/tmp/dugnad-config-XXXXXX";
    int descriptor = mkstemp(path);
    enum status status;

    cr_assert(write(descriptor, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(descriptor);
    status = client_config_read(&config, disk_real(), path, &err);
    (void)unlink(path);
    return status;
}

Test(client_config, defaults_are_the_tables)
{
    cr_expect(eq(i64, config.cores, 1));
    cr_expect(eq(i64, config.work_buffer, 7200));
    cr_expect(eq(i64, config.bulletin_interval, 300));
    cr_expect(eq(i64, config.grace, 7 * 86400));
}

Test(client_config, a_file_sets_what_it_names)
{
    cr_assert(
        eq(int, read_text("# mine\ncores = 4\nmemory = 2G\n; x\nwork_buffer = 15m\n"), STATUS_OK),
        "%s", err.text);
    cr_expect(eq(i64, config.cores, 4));
    cr_expect(eq(i64, config.memory, INT64_C(2) << 30));
    cr_expect(eq(i64, config.work_buffer, 900));
}

Test(client_config, the_line_of_a_mistake_is_named)
{
    cr_assert(eq(int, read_text("cores = 4\n\ncoers = 2\n"), STATUS_INVALID));
    cr_expect(strstr(err.text, "line 3") != NULL, "%s", err.text);
    cr_expect(strstr(err.text, "coers") != NULL, "%s", err.text);
    cr_assert(eq(int, read_text("cores = 0\n"), STATUS_INVALID));
    cr_expect(strstr(err.text, "1 to 256") != NULL, "%s", err.text);
    cr_assert(eq(int, read_text("[section]\ncores = 1\n"), STATUS_INVALID));
    cr_assert(eq(int, read_text("cores\n"), STATUS_INVALID));
}

Test(client_config, a_pair_is_name_equals_value)
{
    cr_expect(eq(int, client_config_set_pair(&config, "visit_interval=1s", &err), STATUS_OK));
    cr_expect(eq(i64, config.visit_interval, 1));
    cr_expect(eq(int, client_config_set_pair(&config, "visit_interval", &err), STATUS_INVALID));
    cr_expect(eq(int, client_config_set_pair(&config, "cache=1K", &err), STATUS_INVALID));
    cr_expect(
        eq(int, client_config_set_pair(&config, "bulletin_interval=6m", &err), STATUS_INVALID));
}

Test(client_config, the_sample_file_is_valid_with_every_line_taken_in)
{
    CLEANUP(buffer_clear) struct buffer sample = {.max = CONFIG_FILE_MAX};

    client_config_sample(&sample);
    for (char *c = sample.bytes; *c != '\0'; c++)
        if (*c == '#' && c[1] != ' ')
            *c = '\n'; /* a blank would continue the line before */
    cr_expect(eq(int, read_text(buffer_text(&sample)), STATUS_OK), "%s", err.text);
}

/* --- one held to another --- */

/* They would stop the client at the first server that does not answer: see delay_ms(). */
Test(client_config, a_last_wait_below_the_default_of_the_first_takes_the_first_down)
{
    cr_assert(eq(int, client_config_set_pair(&config, "retry_last=2s", &err), STATUS_OK));
    cr_assert(eq(int, client_config_settle(&config, &err), STATUS_OK), "%s", err.text);
    cr_expect(eq(i64, config.retry_last, 2));
    cr_expect(eq(i64, config.retry_first, 2));
}

Test(client_config, a_last_wait_below_a_first_that_was_given_is_refused_with_both)
{
    cr_assert(eq(int, client_config_set_pair(&config, "retry_first=10m", &err), STATUS_OK));
    cr_assert(eq(int, client_config_settle(&config, &err), STATUS_OK), "%s", err.text);
    cr_assert(eq(int, client_config_set_pair(&config, "retry_last=5m", &err), STATUS_OK));
    cr_assert(eq(int, client_config_settle(&config, &err), STATUS_INVALID));
    cr_expect(strstr(err.text, "retry_first") != NULL && strstr(err.text, "10m") != NULL, "%s",
              err.text);
    cr_expect(strstr(err.text, "retry_last") != NULL && strstr(err.text, "5m") != NULL, "%s",
              err.text);
}

/* What is written down counts as given, also where it says what the default says. */
Test(client_config, a_default_that_was_written_down_does_not_give_way)
{
    cr_assert(eq(int, read_text("retry_first = 30s\n"), STATUS_OK));
    cr_assert(eq(int, client_config_set_pair(&config, "retry_last=2s", &err), STATUS_OK));
    cr_expect(eq(int, client_config_settle(&config, &err), STATUS_INVALID));
}

Test(client_config, either_wait_may_have_its_least_and_its_most_with_the_other_at_default)
{
    static const char *const pairs[] = {"retry_first=1s", "retry_first=10m", "retry_last=1s",
                                        "retry_last=24h"};

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        client_config_init(&config);
        cr_assert(eq(int, client_config_set_pair(&config, pairs[i], &err), STATUS_OK));
        cr_assert(eq(int, client_config_settle(&config, &err), STATUS_OK), "%s", pairs[i]);
        cr_expect(config.retry_first >= 1 && config.retry_last >= config.retry_first, "%s",
                  pairs[i]);
    }
}
