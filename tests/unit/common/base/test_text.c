/* common/base/text: strict conversions. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"

Test(text, integers_are_whole_and_plain)
{
    static const char *const refused[] = {"",
                                          "-",
                                          "+1",
                                          " 1",
                                          "1 ",
                                          "01",
                                          "-0",
                                          "1.0",
                                          "1e3",
                                          "0x1",
                                          "11",
                                          "-11",
                                          "9223372036854775808"};
    int64_t value = 77;

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        cr_expect(not(text_to_integer(refused[i], -10, 10, &value)), "%s", refused[i]);
    cr_expect(eq(i64, value, 77));
    cr_expect(text_to_integer("-10", -10, 10, &value));
    cr_expect(eq(i64, value, -10));
    cr_expect(text_to_integer("9223372036854775807", 0, INT64_MAX, &value));
    cr_expect(eq(i64, value, INT64_MAX));
}

Test(text, sizes_and_spans_have_units)
{
    int64_t value = 0;

    cr_expect(text_to_bytes("512M", INT64_MAX, &value) && value == INT64_C(512) << 20);
    cr_expect(text_to_bytes("64KiB", INT64_MAX, &value) && value == 65536);
    cr_expect(text_to_bytes("7", 7, &value) && value == 7);
    cr_expect(not(text_to_bytes("8", 7, &value)));
    cr_expect(not(text_to_bytes("M", INT64_MAX, &value)));
    cr_expect(not(text_to_bytes("1X", INT64_MAX, &value)));
    cr_expect(not(text_to_bytes("99999999999T", INT64_MAX, &value)));
    cr_expect(text_to_seconds("6h", INT64_MAX, &value) && value == 21600);
    cr_expect(not(text_to_seconds("6y", INT64_MAX, &value)));
}

Test(text, hexadecimal_is_lower_case_and_exact)
{
    uint8_t bytes[3];
    char text[7];

    cr_expect(text_to_exact_bytes("00ff7a", 3, bytes));
    text_from_bytes(bytes, 3, text);
    cr_expect(eq(str, text, "00ff7a"));
    cr_expect(not(text_to_exact_bytes("00FF7a", 3, bytes)));
    cr_expect(not(text_to_exact_bytes("00ff7a0", 3, bytes)));
}

Test(text, utf8_and_hidden_characters_are_told_apart)
{
    cr_expect(text_is_plain("gr\xc3\xbc\xc3\x9f dich", 11, false));
    cr_expect(not(text_is_utf8("\xc0\xaf", 2)), "overlong");
    cr_expect(not(text_is_utf8("\xed\xa0\x80", 3)), "surrogate");
    cr_expect(not(text_is_utf8("\xf4\x90\x80\x80", 4)), "beyond Unicode");
    cr_expect(not(text_is_utf8("\xe2\x80", 2)), "cut");
    cr_expect(not(text_is_plain("a\nb", 3, false)));
    cr_expect(text_is_plain("a\nb", 3, true));
    cr_expect(not(text_is_plain("a\x1b[1m", 5, true)));
    cr_expect(not(text_is_plain("a\xe2\x80\xae", 4, true)), "right-to-left override");
    cr_expect(not(text_is_plain("\0", 1, true)));
}

/* Long ASCII is looked at in steps of eight. */
Test(text, a_bad_byte_is_found_wherever_it_stands)
{
    for (size_t length = 1; length <= 40; length++) {
        for (size_t at = 0; at < length; at++) {
            char bytes[41] = {0};

            memset(bytes, 'a', length);
            cr_assert(text_is_utf8(bytes, length));
            bytes[at] = '\x80';
            cr_assert(not(text_is_utf8(bytes, length)), "%zu of %zu", at, length);
            if (at + 1 < length)
                memcpy(bytes + at, "\xc3\xbc", 2);
            cr_assert(eq(int, text_is_utf8(bytes, length), at + 1 < length), "%zu", at);
        }
    }
}

Test(text, untrusted_text_is_made_harmless)
{
    char text[] = "ok\x1b]0;x\x07 \xe2\x80\xae! \xff";

    text_sanitise(text, strlen(text));
    cr_expect(eq(str, text,
                 "ok?]0;x? ??"
                 "?! ?"));
}

Test(text, file_names_keep_to_the_profile)
{
    char long_name[130] = {0};

    memset(long_name, 'a', 129);
    cr_expect(not(text_is_file_name(long_name)));
    long_name[128] = '\0';
    cr_expect(text_is_file_name(long_name));
    cr_expect(not(text_is_file_name("")));
    cr_expect(not(text_is_file_name(".x")));
    cr_expect(not(text_is_file_name("-x")));
    cr_expect(not(text_is_file_name("a/b")));
}
