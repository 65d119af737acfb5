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
