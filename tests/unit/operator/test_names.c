/* operator/name_list: equal names are found, part by part. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/env/real.h"
#include "operator/name_list.h"

enum { MANY = 3 * NAME_LIST_PART };

static char folder[] = "/tmp/dugnad-names-XXXXXX";
static struct name_list earlier, later;

static void make(struct name_list *list, const char *name)
{
    CLEANUP(freep) char *path = text_format("%s/%s", folder, name);
    struct disk *disk = env_real()->disk;

    cr_assert(eq(int, name_list_make(list, disk, path, NULL), STATUS_OK));
    cr_assert(ne(int, access(path, F_OK), 0), "the file has no name any more");
}

static void set_up(void)
{
    cr_assert(mkdtemp(folder) != NULL);
    make(&earlier, "earlier");
    make(&later, "later");
}

static void tear_down(void)
{
    name_list_clear(&earlier);
    name_list_clear(&later);
    (void)rmdir(folder);
}

TestSuite(names, .init = set_up, .fini = tear_down, .timeout = 60);

static void add(struct name_list *list, int64_t number)
{
    CLEANUP(freep) char *name = text_format("n%lld", (long long)number);
    struct unit_name_key key = unit_name_key(name);

    cr_assert(eq(int, name_list_add(list, &key, NULL), STATUS_OK));
}

static void end_both(void)
{
    cr_assert(eq(int, name_list_end(&earlier, NULL), STATUS_OK));
    cr_assert(eq(int, name_list_end(&later, NULL), STATUS_OK));
}

static struct name_twice compare(void)
{
    const struct name_list *const lists[] = {&earlier, &later};
    struct name_twice twice;

    cr_assert(eq(int, name_lists_compare(lists, 2, &twice, NULL), STATUS_OK));
    return twice;
}

Test(names, a_name_of_an_earlier_list_is_found)
{
    struct name_twice twice;

    for (int64_t i = 0; i < 10000; i++)
        add(&earlier, i);
    for (int64_t i = 10000; i < 20000; i++)
        add(&later, i == 17000 ? 4711 : i);
    end_both();
    twice = compare();
    cr_expect(twice.is_there);
    cr_expect(eq(i64, twice.first, 4711));
    cr_expect(eq(i64, twice.second, 17000));
}

static struct unit_name_key name_by_number(int64_t index)
{
    CLEANUP(freep) char *name = text_format("unit-%lld", (long long)index);

    return unit_name_key(name);
}

Test(names, units_without_a_name_are_none_until_they_are_named)
{
    const struct unit_name_key none = {{0}}, taken = unit_name_key("unit-7");

    for (int64_t i = 0; i < 5000; i++)
        cr_assert(eq(int, name_list_add(&later, i == 100 ? &taken : &none, NULL), STATUS_OK));
    end_both();
    cr_expect(not(compare().is_there));
    cr_assert(eq(int, name_list_fill(&later, name_by_number, 8, NULL), STATUS_OK));
    cr_expect(not(compare().is_there), "they begin with unit-8");
    cr_assert(eq(int, name_list_add(&earlier, &none, NULL), STATUS_OK));
    cr_assert(eq(int, name_list_end(&earlier, NULL), STATUS_OK));
    cr_assert(eq(int, name_list_fill(&earlier, name_by_number, 7, NULL), STATUS_OK));
    cr_expect(compare().is_there);
}

/* AddressSanitizer holds freed blocks back, 256 MiB by its own choice: here they would count as the
 * list's. */
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

/* A table of all took 80 bytes a name, 150 MiB here. */
Test(names, many_take_no_more_memory_than_a_part_of_them)
{
    int64_t before;

    for (int64_t i = 0; i < MANY; i++)
        add(&later, i);
    end_both();
    before = peak_kib();
    cr_expect(not(compare().is_there));
    cr_expect(lt(i64, peak_kib() - before, 60 << 10));
    add(&earlier, MANY - 1);
    cr_assert(eq(int, name_list_end(&earlier, NULL), STATUS_OK));
    cr_expect(eq(i64, compare().second, MANY));
}
