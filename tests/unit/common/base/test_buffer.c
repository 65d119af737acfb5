/* common/base/buffer: nothing grows beyond its maximum. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/buffer.h"

Test(buffer, what_is_appended_is_there)
{
    CLEANUP(buffer_clear) struct buffer buffer = {.max = 100};

    cr_assert(eq(int, buffer_append_text(&buffer, "one", NULL), STATUS_OK));
    cr_assert(eq(int, buffer_printf(&buffer, NULL, "-%d", 22), STATUS_OK));
    cr_expect(eq(str, (char *)buffer_text(&buffer), "one-22"));
    buffer_consume(&buffer, 4);
    cr_expect(eq(str, (char *)buffer_text(&buffer), "22"));
    buffer_reset(&buffer);
    cr_expect(eq(str, (char *)buffer_text(&buffer), ""));
}

Test(buffer, the_maximum_is_exact_and_a_refusal_changes_nothing)
{
    CLEANUP(buffer_clear) struct buffer buffer = {.max = 200};
    char bytes[201] = {0};
    struct error err;

    cr_assert(eq(int, buffer_append(&buffer, bytes, 199, NULL), STATUS_OK));
    cr_expect(eq(int, buffer_append(&buffer, bytes, 2, &err), STATUS_TOO_LARGE));
    cr_expect(eq(int, buffer_printf(&buffer, NULL, "ab"), STATUS_TOO_LARGE));
    cr_expect(eq(sz, buffer.length, 199));
    cr_expect(eq(int, buffer_append(&buffer, bytes, 1, NULL), STATUS_OK));
    cr_expect(buffer_reserve(&buffer, 1) == NULL);
    cr_expect(buffer_reserve(&buffer, (size_t)-1) == NULL);
}
