/* db/copy.h, from one kind of database to the other and back: with DUGNAD_TEST_DATABASE from
 * PostgreSQL to SQLite and back to PostgreSQL, without it among embedded ones alone. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "db/copy.h"
#include "tests/support/many_units.h"

static struct test_site site;
static struct store *lite, *back;
static char back_name[DATABASE_NAME_MAX];
static struct error err;
static int tables;
static int64_t furthest;

static void set_up(void)
{
    site_open(&site, NULL);
    site_play(&site);
    database_name(back_name);
    cr_assert(eq(int, (int)store_open("file:/lite?vfs=memdb", &lite, &err), STATUS_OK));
    cr_assert(eq(int, (int)store_open(back_name, &back, &err), STATUS_OK), "%s", err.text);
}

static void tear_down(void)
{
    store_close(lite);
    store_close(back);
    site_close(&site);
}

static void keep_progress(void *context, const char *table, int64_t rows, bool is_check)
{
    (void)context;
    (void)table;
    (void)is_check;
    if (rows > furthest)
        furthest = rows;
}

static void keep_table(void *context, const char *table, const struct table_sum *sum)
{
    (void)context;
    tables++;
    if (strcmp(table, "unit") == 0)
        cr_expect(le(i64, 2, sum->rows));
}

static const struct copy_listener listener = {.progress = keep_progress, .table = keep_table};

static void complain(void *context, const char *complaint)
{
    (void)context;
    cr_log_error("%s", complaint);
}

static void expect_sound(struct store *store)
{
    const struct store_check how = {.say = complain};
    int64_t faults = -1;

    cr_assert(eq(int, (int)store->check(store, &how, &faults, &err), STATUS_OK), "%s", err.detail);
    cr_expect(zero(i64, faults));
}

static bool is_blank(struct store *store)
{
    bool blank = false;

    cr_assert(eq(int, (int)store_is_blank(store, &blank, &err), STATUS_OK), "%s", err.text);
    return blank;
}

static bool is_same(struct store *a, struct store *b)
{
    bool same = false;

    cr_assert(eq(int, (int)store_compare(a, b, &listener, &same, &err), STATUS_OK), "%s", err.text);
    return same;
}

TestSuite(copy, .init = set_up, .fini = tear_down);

Test(copy, a_site_goes_there_and_back_and_goes_on)
{
    site_add_accepted(&site, 1200); /* more than a block, and than a page */
    cr_expect(is_blank(lite));
    cr_assert(eq(int, (int)store_copy(site.store, lite, &listener, &err), STATUS_OK), "%s: %s",
              err.text, err.detail);
    cr_expect(lt(int, 20, tables));
    cr_expect(not(is_blank(lite)));
    expect_sound(lite);
    cr_assert(eq(int, (int)store_copy(lite, back, &listener, &err), STATUS_OK), "%s: %s", err.text,
              err.detail);
    expect_sound(back);
    cr_expect(is_same(site.store, back));
    store_close(site.store);
    site.store = back;
    back = NULL;
    site_send(&site, 1, 0); /* by the numbers of the old one */
}

Test(copy, a_database_with_a_site_is_not_written_over)
{
    cr_assert(eq(int, (int)store_copy(site.store, lite, &listener, &err), STATUS_OK), "%s",
              err.text);
    cr_expect(eq(int, (int)store_copy(site.store, lite, &listener, &err), STATUS_CONFLICT));
    expect_sound(lite);
}

Test(copy, what_changed_meanwhile_is_told_from_what_is_the_same)
{
    cr_assert(eq(int, (int)store_copy(site.store, lite, &listener, &err), STATUS_OK), "%s",
              err.text);
    cr_expect(is_same(site.store, lite));
    site_send(&site, 1, 1);
    cr_expect(not(is_same(site.store, lite)));
}

/* Whatever row cannot be written: nothing is there. */
Test(copy, a_copy_that_fails_leaves_nothing)
{
    static const char *const steps[] = {"INSERT ON site", "INSERT ON server", "INSERT ON host",
                                        "INSERT ON task", "INSERT ON tally"};
    struct database_view *view = database_look(back_name);

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        database_break(view, steps[i], NULL);
        cr_expect(eq(int, (int)store_copy(site.store, back, &listener, &err), STATUS_STORAGE), "%s",
                  steps[i]);
        database_mend(view);
        cr_expect(is_blank(back), "%s", steps[i]);
        cr_expect(zero(i64, database_number(view, "SELECT count(*) FROM unit")), "%s", steps[i]);
        cr_expect(eq(i64, database_number(view, "SELECT count(*) FROM server"), 1), "%s", steps[i]);
    }
    database_leave(view);
    cr_expect(eq(int, (int)store_copy(site.store, back, &listener, &err), STATUS_OK), "%s",
              err.detail);
}

/* A row that the other side keeps otherwise is noticed before the commit. */
Test(copy, a_row_that_comes_out_otherwise_is_noticed)
{
    struct database_view *view = database_look(back_name);

    (void)database_change(
        view, database_is_postgres()
                  ? "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                    " NEW.credit = 77; RETURN NEW; END $$;"
                    " CREATE TRIGGER spoil BEFORE INSERT ON host FOR EACH ROW"
                    " EXECUTE FUNCTION spoil()"
                  : "CREATE TRIGGER spoil AFTER INSERT ON host BEGIN"
                    " UPDATE host SET credit = 77 WHERE id = new.id; END");
    cr_expect(eq(int, (int)store_copy(site.store, back, &listener, &err), STATUS_STORAGE));
    cr_expect(ne(ptr, strstr(err.text, "host came out otherwise"), NULL), "%s", err.text);
    cr_expect(is_blank(back));
    database_leave(view);
}

Test(copy, a_database_of_other_tables_is_refused)
{
    struct database_view *view = database_look(back_name);

    (void)database_change(view, "CREATE TABLE visitors (id BIGINT)");
    cr_expect(eq(int, (int)store_copy(site.store, back, &listener, &err), STATUS_INVALID), "%s",
              err.text);
    cr_expect(is_blank(back));
    database_leave(view);
}
