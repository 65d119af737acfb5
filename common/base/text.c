#include "common/base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Digits only, without a leading zero, at most `max`. */
static bool to_natural(const char *text, size_t length, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (length == 0 || (text[0] == '0' && length > 1))
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)text[i] - '0';

        if (text[i] < '0' || text[i] > '9' || value > (max - digit) / 10 || digit > max)
            return false;
        value = value * 10 + digit;
    }
    *ret_value = value;
    return true;
}

bool text_to_integer(const char *text, int64_t min, int64_t max, int64_t *ret_value)
{
    bool is_negative = text[0] == '-';
    const char *digits = text + is_negative;
    uint64_t magnitude;
    int64_t value;

    if (!to_natural(digits, strlen(digits), INT64_MAX, &magnitude))
        return false;
    if (is_negative && magnitude == 0)
        return false;
    value = is_negative ? -(int64_t)magnitude : (int64_t)magnitude;
    if (value < min || value > max)
        return false;
    *ret_value = value;
    return true;
}

static bool scaled(const char *text, size_t digits, int64_t factor, int64_t max, int64_t *ret_value)
{
    uint64_t number;

    if (!to_natural(text, digits, (uint64_t)(max / factor), &number))
        return false;
    *ret_value = (int64_t)number * factor;
    return true;
}

bool text_to_bytes(const char *text, int64_t max, int64_t *ret_bytes)
{
    static const char units[] = "KMGT";
    size_t digits = strspn(text, "0123456789");
    const char *suffix = text + digits;
    const char *unit = suffix[0] != '\0' ? strchr(units, suffix[0]) : NULL;

    if (suffix[0] == '\0' || strcmp(suffix, "B") == 0)
        return scaled(text, digits, 1, max, ret_bytes);
    if (unit == NULL || (suffix[1] != '\0' && strcmp(suffix + 1, "iB") != 0 &&
                         strcmp(suffix + 1, "B") != 0 && strcmp(suffix + 1, "i") != 0))
        return false;
    return scaled(text, digits, INT64_C(1) << (10 * (unit - units + 1)), max, ret_bytes);
}

bool text_to_seconds(const char *text, int64_t max, int64_t *ret_seconds)
{
    static const struct {
        const char *suffix;
        int64_t factor;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}};
    size_t digits = strspn(text, "0123456789");

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(text + digits, units[i].suffix) == 0)
            return scaled(text, digits, units[i].factor, max, ret_seconds);
    return false;
}

void text_from_bytes(const void *bytes, size_t count, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;

    for (size_t i = 0; i < count; i++) {
        ret_text[2 * i] = digits[from[i] >> 4];
        ret_text[2 * i + 1] = digits[from[i] & 15];
    }
    ret_text[2 * count] = '\0';
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

bool text_to_exact_bytes(const char *text, size_t count, void *ret_bytes)
{
    uint8_t *to = ret_bytes;

    if (strlen(text) != 2 * count || strspn(text, "0123456789abcdef") != 2 * count)
        return false;
    for (size_t i = 0; i < count; i++)
        to[i] = (uint8_t)(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
    return true;
}

char *text_copy_n(const char *text, size_t length)
{
    char *copy = must_alloc(length + 1, 1);

    memcpy(copy, text, length);
    return copy;
}

char *text_copy(const char *text)
{
    return text_copy_n(text, strlen(text));
}

char *text_format(const char *fmt, ...)
{
    va_list args;
    char *text;
    int length;

    va_start(args, fmt);
    length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    assert(length >= 0);

    text = must_alloc((size_t)length + 1, 1);
    va_start(args, fmt);
    (void)vsnprintf(text, (size_t)length + 1, fmt, args);
    va_end(args);
    return text;
}

bool text_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_fit(char *ret_text, size_t size, const char *text)
{
    size_t length = strlen(text);
    bool fits = length < size;

    memcpy(ret_text, text, fits ? length : 0);
    ret_text[fits ? length : 0] = '\0';
    return fits;
}

/* The length of the well-formed sequence at `bytes` and its value; 0: none is there. */
static size_t utf8_next(const uint8_t *bytes, size_t left, uint32_t *ret_value)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = bytes[0] < 0x80             ? 1
                    : (bytes[0] & 0xe0) == 0xc0 ? 2
                    : (bytes[0] & 0xf0) == 0xe0 ? 3
                    : (bytes[0] & 0xf8) == 0xf0 ? 4
                                                : 0;
    uint32_t value;

    if (length == 0 || length > left)
        return 0;
    value = length == 1 ? bytes[0] : bytes[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes[i] & 0x3f);
    }
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *ret_value = value;
    return length;
}

/* Eight at once: most of what is looked at is ASCII from end to end. */
static bool are_eight_ascii(const char *text)
{
    uint64_t bytes;

    memcpy(&bytes, text, sizeof bytes);
    return (bytes & UINT64_C(0x8080808080808080)) == 0;
}

bool text_is_utf8(const char *text, size_t length)
{
    uint32_t value;
    size_t step;

    for (size_t i = 0; i < length; i += step) {
        if (length - i >= 8 && are_eight_ascii(text + i)) {
            step = 8;
            continue;
        }
        step = utf8_next((const uint8_t *)text + i, length - i, &value);
        if (step == 0)
            return false;
    }
    return true;
}

static bool is_plain_character(uint32_t value, bool lines_allowed)
{
    if (value == '\n' || value == '\t')
        return lines_allowed;
    return value >= 0x20 && !(value >= 0x7f && value <= 0x9f) && value != 0x061c &&
           value != 0x200e && value != 0x200f && !(value >= 0x202a && value <= 0x202e) &&
           !(value >= 0x2066 && value <= 0x2069);
}

bool text_is_plain(const char *text, size_t length, bool lines_allowed)
{
    uint32_t value;
    size_t step;

    for (size_t i = 0; i < length; i += step) {
        step = utf8_next((const uint8_t *)text + i, length - i, &value);
        if (step == 0 || !is_plain_character(value, lines_allowed))
            return false;
    }
    return true;
}

void text_sanitise(char *text, size_t length)
{
    uint32_t value = 0;
    size_t step;

    for (size_t i = 0; i < length; i += step) {
        step = utf8_next((const uint8_t *)text + i, length - i, &value);
        if (step == 0 || !is_plain_character(value, true)) {
            step = step > 0 ? step : 1;
            memset(text + i, '?', step);
        }
    }
}

char *text_sanitised(const char *text)
{
    char *copy = text_copy(text);

    text_sanitise(copy, strlen(copy));
    return copy;
}

bool text_is_file_name(const char *name)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    static const char later[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t length = strlen(name);

    return length >= 1 && length <= TEXT_FILE_NAME_MAX && strchr(first, name[0]) != NULL &&
           strspn(name, later) == length;
}
