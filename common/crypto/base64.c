#include "common/crypto/base64.h"

#include <stdint.h>

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Without padding or NUL; returns the number of characters. */
static size_t encode(const uint8_t *bytes, size_t count, const char *alphabet, char *ret_text)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t written = 0;

    for (size_t i = 0; i < count; i++) {
        bits = bits << 8 | bytes[i];
        for (held += 8; held >= 6; held -= 6)
            ret_text[written++] = alphabet[bits >> (held - 6) & 63];
    }
    if (held > 0)
        ret_text[written++] = alphabet[bits << (6 - held) & 63];
    return written;
}

/* What each letter stands for, plus 1; 0: it is none. */
#define LETTERS_AND_DIGITS                                                                         \
    ['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,        \
    ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, \
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23,            \
    ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30,            \
    ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37,            \
    ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44,            \
    ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49, ['x'] = 50, ['y'] = 51,            \
    ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58,            \
    ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62

static const uint8_t standard_values[256] = {LETTERS_AND_DIGITS, ['+'] = 63, ['/'] = 64};
static const uint8_t url_safe_values[256] = {LETTERS_AND_DIGITS, ['-'] = 63, ['_'] = 64};

/* Without padding. The bytes were counted before: there is room for them. */
static bool decode(const char *text, size_t length, const uint8_t values[256], uint8_t *ret_bytes)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t written = 0;

    for (size_t i = 0; i < length; i++) {
        uint8_t value = values[(uint8_t)text[i]];

        if (value == 0)
            return false;
        bits = bits << 6 | (value - 1U);
        held += 6;
        if (held >= 8) {
            held -= 8;
            ret_bytes[written++] = (uint8_t)(bits >> held);
        }
    }
    return held < 6 && (bits & ((1U << held) - 1)) == 0;
}

void base64_encode(const void *bytes, size_t count, char *ret_text)
{
    size_t written = encode(bytes, count, standard, ret_text);

    while (written % 4 != 0)
        ret_text[written++] = '=';
    ret_text[written] = '\0';
}

bool base64_decode(const char *text, size_t length, void *ret_bytes, size_t max, size_t *ret_count)
{
    size_t padding = 0;
    size_t count;

    if (length % 4 != 0)
        return false;
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
        padding++;
    count = length / 4 * 3 - padding;
    if (count > max || !decode(text, length - padding, standard_values, ret_bytes))
        return false;
    *ret_count = count;
    return true;
}

void base64url_encode(const void *bytes, size_t count, char *ret_text)
{
    ret_text[encode(bytes, count, url_safe, ret_text)] = '\0';
}

bool base64url_decode(const char *text, size_t length, void *ret_bytes, size_t count)
{
    return length == BASE64URL_CHARS(count) && decode(text, length, url_safe_values, ret_bytes);
}
