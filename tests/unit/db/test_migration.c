/* db/sql/migration: which databases a program may work with. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "db/sql/migration.h"

Test(migration, only_a_database_of_the_programs_own_version_will_do)
{
    static const struct {
        int version, count;
        enum status status;
        const char *words;
    } cases[] = {
        {0, 1, STATUS_NOT_FOUND, "holds no site"},
        {1, 1, STATUS_OK, ""},
        {3, 3, STATUS_OK, ""},
        {1, 3, STATUS_CONFLICT, "of the older version 1: let dugnad-server run upgrade it (to 3)"},
        {4, 3, STATUS_CONFLICT, "of version 4, this program knows 3: use a newer program"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};

        cr_expect(eq(int, (int)migration_verdict(cases[i].version, cases[i].count, &err),
                     (int)cases[i].status));
        cr_expect(strstr(err.text, cases[i].words) != NULL, "%s", err.text);
    }
}
