/* operator/name_table: names are claimed once, and a file holds them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/env/real.h"
#include "operator/name_table.h"

enum { MANY = 600000 };

static char folder[] = "/tmp/dugnad-name-table-XXXXXX";
static char *path;
static struct name_table table;

static void make(struct disk *disk, int64_t expected)
{
    cr_assert(eq(int, name_table_make(&table, disk, path, expected, NULL), STATUS_OK));
    cr_assert(ne(int, access(path, F_OK), 0), "the file has no name any more");
}

static void set_up(void)
{
    cr_assert(mkdtemp(folder) != NULL);
    path = text_format("%s/table", folder);
}

static void tear_down(void)
{
    name_table_clear(&table);
    free(path);
    cr_expect(zero(int, rmdir(folder)), "nothing is left");
}

TestSuite(name_table, .init = set_up, .fini = tear_down, .timeout = 60);

/* The index of the unit that has the name after this one asked for it. */
static int64_t claim(const char *name, int64_t index)
{
    const struct unit_name_key key = unit_name_key(name);
    int64_t owner = -1;

    cr_assert(eq(int, name_table_claim(&table, &key, index, &owner, NULL), STATUS_OK));
    return owner;
}

static int64_t claim_number(int64_t number, int64_t index)
{
    CLEANUP(freep) char *name = text_format("n%lld", (long long)number);

    return claim(name, index);
}

Test(name_table, the_first_keeps_a_name_and_the_second_is_told)
{
    make(env_real()->disk, 0);
    cr_expect(zero(i64, claim("a", 0)));
    cr_expect(eq(i64, claim("b", 1), 1));
    cr_expect(zero(i64, claim("A", 2)), "case does not count");
    cr_expect(eq(i64, claim("b", 3), 1));
}

Test(name_table, it_grows_and_forgets_none)
{
    make(env_real()->disk, 0);
    for (int64_t i = 0; i < 20000; i++)
        cr_assert(eq(i64, claim_number(i, i), i));
    cr_expect(lt(i64, 20000, table.capacity));
    for (int64_t i = 0; i < 20000; i++)
        cr_assert(eq(i64, claim_number(i, 99999), i));
}

/* Keys of one home, at the table's end: what does not fit there goes on at its beginning. */
Test(name_table, what_does_not_fit_at_the_end_goes_on_at_the_beginning)
{
    int64_t owner;

    make(env_real()->disk, 0);
    for (int again = 0; again <= 1; again++)
        for (int i = 0; i < 40; i++) {
            struct unit_name_key key;

            memset(key.bytes, 0xff, sizeof key.bytes);
            key.bytes[UNIT_NAME_KEY_BYTES - 1] = (uint8_t)i;
            cr_assert(
                eq(int, name_table_claim(&table, &key, again * 100 + i, &owner, NULL), STATUS_OK));
            cr_expect(eq(i64, owner, i));
        }
}

/* AddressSanitizer holds freed blocks back, 256 MiB by its own choice: here they would count as the
 * table's. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "quarantine_size_mb=1";
}

static int64_t peak_kib(void)
{
    struct rusage usage;

    cr_assert(zero(int, getrusage(RUSAGE_SELF, &usage)));
    return usage.ru_maxrss;
}

/* In memory they took 48 MiB, and half as much again while the table grew. */
Test(name_table, many_take_no_memory_to_speak_of)
{
    int64_t before;

    make(env_real()->disk, 0);
    for (int64_t i = 0; i < 1000; i++)
        (void)claim_number(i, i);
    before = peak_kib();
    for (int64_t i = 1000; i < MANY; i++)
        cr_assert(eq(i64, claim_number(i, i), i));
    cr_expect(lt(i64, peak_kib() - before, 8 << 10));
    cr_expect(eq(i64, claim_number(4711, MANY), 4711));
}
