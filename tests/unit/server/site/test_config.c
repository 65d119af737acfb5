/* server/site/config: site.conf is read strictly, and says itself what it can hold. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/buffer.h"
#include "server/site/config.h"
#include "server/site/config_edit.h"

static struct config config;

Test(config, an_empty_file_means_the_defaults)
{
    cr_assert(eq(int, config_parse("", &config, NULL), STATUS_OK));
    cr_expect(eq(i64, config.threads, 2));
    cr_expect(eq(i64, config.enrolments_per_hour, 20));
    cr_expect(eq(i64, config.issue_floor, INT64_C(5) << 30));
    cr_expect(eq(i64, config.max_return, 3600));
    cr_expect(eq(sz, config.listen.count, 1));
    cr_expect(eq(sz, config.listen_plain.count, 0));
}

Test(config, values_are_read_with_their_units)
{
    cr_assert(eq(int,
                 config_parse("# a comment\n"
                              "name = Primes\n"
                              "  threads = 4\n"
                              "listen = 127.0.0.1:1\n"
                              "listen = [::1]:2\n"
                              "upload_max = 64M\n"
                              "upload_keep = 6h\n",
                              &config, NULL),
                 STATUS_OK));
    cr_expect(eq(str, config.name.text, "Primes"));
    cr_expect(eq(i64, config.threads, 4));
    cr_expect(eq(sz, config.listen.count, 2));
    cr_expect(eq(str, config.listen.items[1].text, "[::1]:2"));
    cr_expect(eq(i64, config.upload_max, INT64_C(64) << 20));
    cr_expect(eq(i64, config.upload_keep, 6 * 3600));
}

Test(config, what_is_wrong_is_named_with_its_line)
{
    static const struct {
        const char *text;
        const char *words;
    } wrong[] = {
        {"threads = 4\nlissten = x\n", "line 2: unknown key \"lissten\""},
        {"\n\nthreads = 0\n", "line 3: threads is a number, 1..64"},
        {"threads = 65\n", "line 1: threads is a number, 1..64"},
        {"threads = two\n", "line 1: threads is a number, 1..64"},
        {"threads = 1\nthreads = 1\n", "line 2: threads is given twice"},
        {"[server]\nthreads = 1\n", "line 1: there are no [sections]"},
        {"threads\n", "line 1: expected \"key = value\""},
        {"name =\n", "line 1: name is a line of 1..100 bytes"},
        {"idle_time = -1\n", "line 1: idle_time is a time"},
        {"upload_max = 1\n", "line 1: upload_max is a size"},
        {"\nlog_level = loud\n", "line 2: log_level is"},
        {"url = http://example.org\n", "line 1: url is"},
        {"url = https://example.org/grid\n", "line 1: url is"},
        {"url = https://127.0.0.1:99999\n", "line 1: url is"},
        {"url = https://127.0.0.1:\n", "line 1: url is"},
        {"url = https://127.0.0.1:0\n", "line 1: url is"},
        {"url = https://a b\n", "line 1: url is"},
        {"certificate = a.pem\n", "line 1: certificate and certificate_key go together"},
        {"certificate_key = a.pem\n", "line 1: certificate and certificate_key go together"},
        {"listen =\n", "line 1: there is no address"},
        {"listen = 127.0.0.1:1\nlisten = nonsense\n", "line 2: listen nonsense: an address is"},
        {"listen = localhost:1\n", "line 1: listen localhost:1: the address is not"},
        {"listen_proxy = 127.0.0.1\n", "line 1: listen_proxy 127.0.0.1: an address is"},
        {"listen_plain = 192.0.2.1:80\n", "line 1: listen_plain 192.0.2.1:80: without TLS"},
        {"listen = 127.0.0.1:1\n\nlisten = 127.0.0.1:1\n",
         "line 3: listen lists 127.0.0.1:1 twice"},
        {"listen = 127.0.0.1:1\nlisten_plain = 127.0.0.1:1\n",
         "line 2: listen_plain lists 127.0.0.1:1, and listen does already"},
        {"min_return = 10m\nmax_return = 1s\n", "line 2: max_return is no less than min_return"},
        {"max_return = 1s\n", "line 1: max_return is no less than min_return"},
        {"database = /var/lib/x.db\n", "line 1: database is a URL"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error err;

        cr_expect(eq(int, config_parse(wrong[i].text, &config, &err), STATUS_INVALID), "%s",
                  wrong[i].text);
        cr_expect(zero(int, strncmp(err.text, wrong[i].words, strlen(wrong[i].words))), "%s",
                  err.text);
    }
}

/* Regression: the library takes what follows its own maximum for a line of its own. */
Test(config, a_line_that_is_too_long_is_refused_not_cut)
{
    for (size_t length = 150; length < 400; length++) { /* of the value */
        char text[500] = "database = postgres://";
        enum status expected = length <= CONFIG_TEXT_MAX ? STATUS_OK : STATUS_INVALID;

        memset(text + strlen(text), 'a', length - strlen("postgres://"));
        cr_expect(eq(int, config_parse(text, &config, NULL), expected), "%zu", length);
        if (expected == STATUS_OK)
            cr_expect(eq(sz, strlen(config.database.text), length));
    }
}

Test(config, an_address_may_be_listed_twice_where_the_machine_picks_the_port)
{
    static const char text[] = "listen = 127.0.0.1:0\nlisten = 127.0.0.1:0\n"
                               "listen_plain = 127.0.0.1:0\nlisten_plain = unix:/run/a\n"
                               "listen_proxy = unix:/run/b\n";
    struct error err = {0};

    cr_expect(eq(int, config_parse(text, &config, &err), STATUS_OK), "%s", err.text);
}

static void expect_read_back(void (*print)(const struct config *, struct buffer *))
{
    CLEANUP(buffer_clear) struct buffer text = {.max = CONFIG_FILE_MAX};
    CLEANUP(buffer_clear) struct buffer again = {.max = CONFIG_FILE_MAX};
    struct config back;
    struct error err = {0};

    print(&config, &text);
    cr_assert(eq(int, config_parse(buffer_text(&text), &back, &err), STATUS_OK), "%s", err.text);
    print(&back, &again);
    cr_expect(eq(str, text.bytes, again.bytes));
    cr_expect(eq(i64, back.threads, 7));
    cr_expect(eq(str, back.listen.items[1].text, "0.0.0.0:2"));
}

Test(config, what_is_printed_can_be_read_again)
{
    cr_assert(eq(
        int, config_parse("threads = 7\nlisten = 0.0.0.0:1\nlisten = 0.0.0.0:2\n", &config, NULL),
        STATUS_OK));
    expect_read_back(config_print);
    expect_read_back(config_sample);
}

Test(config, one_key_is_replaced_and_all_else_stays_as_it_was_written)
{
    static const char before[] = "# mine\n  database=old\ndatabases = 1\n#database = no\nurl = u";
    CLEANUP(buffer_clear) struct buffer text = {.max = 4096};
    CLEANUP(buffer_clear) struct buffer without = {.max = 4096};

    cr_assert(
        eq(int, (int)config_replace(before, "database", "postgres://h/d", &text, NULL), STATUS_OK));
    cr_expect(eq(str, (char *)buffer_text(&text),
                 "# mine\ndatabases = 1\n#database = no\nurl = u\ndatabase = postgres://h/d\n"));
    cr_assert(eq(int, (int)config_replace(buffer_text(&text), "database", "", &without, NULL),
                 STATUS_OK));
    cr_expect(
        eq(str, (char *)buffer_text(&without), "# mine\ndatabases = 1\n#database = no\nurl = u\n"));
}
