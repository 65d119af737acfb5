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

static int value_of(char letter, const char *alphabet)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    if (letter == alphabet[62])
        return 62;
    return letter == alphabet[63] ? 63 : -1;
}

/* Without padding. The bytes were counted before: there is room for them. */
static bool decode(const char *text, size_t length, const char *alphabet, uint8_t *ret_bytes)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t written = 0;

    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i], alphabet);

        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
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
    if (count > max || !decode(text, length - padding, standard, ret_bytes))
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
    return length == BASE64URL_CHARS(count) && decode(text, length, url_safe, ret_bytes);
}
