#include "common/json/profile.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/text.h"

const struct profile_limits profile_payload = {.bytes = 64 * 1024, .depth = PROFILE_DEPTH_MAX};
const struct profile_limits profile_keyring = {.bytes = 256 * 1024, .depth = PROFILE_DEPTH_MAX};

#define INTEGER_DIGITS 16 /* of PROFILE_INTEGER_MAX */

/*
 * jansson bounds neither the depth nor the form of numbers, and reads a fraction as a real. So the
 * bytes are looked over before: strings are skipped, numbers and brackets outside them checked.
 * What else may be wrong (escapes of NUL or of half a surrogate pair, too) jansson refuses.
 */
struct scan {
    const char *bytes;
    size_t length;
    size_t at;
    unsigned depth;
    unsigned depth_max;
    struct error *err;
};

static enum status refuse(struct scan *scan, const char *code, const char *why)
{
    (void)error_set(scan->err, STATUS_INVALID, "byte %zu of the JSON: %s", scan->at, why);
    error_code(scan->err, code);
    return STATUS_INVALID;
}

static bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

/* The digits at the scan's place, as text_to_integer() wants them. */
static bool is_integer(const char *number, size_t length)
{
    char text[INTEGER_DIGITS + 2];
    int64_t value;

    if (length >= sizeof text)
        return false;
    memcpy(text, number, length);
    text[length] = '\0';
    return text_to_integer(text, -PROFILE_INTEGER_MAX, PROFILE_INTEGER_MAX, &value);
}

static enum status scan_number(struct scan *scan)
{
    size_t start = scan->at;
    size_t end = start + 1;

    while (end < scan->length &&
           (is_digit(scan->bytes[end]) || scan->bytes[end] == '.' || scan->bytes[end] == 'e' ||
            scan->bytes[end] == 'E' || scan->bytes[end] == '+' || scan->bytes[end] == '-'))
        end++;
    if (!is_integer(scan->bytes + start, end - start))
        return refuse(scan, "bad-number",
                      "a number is an integer of up to 2^53 - 1 without fraction or exponent");
    scan->at = end;
    return STATUS_OK;
}

/* An odd number of backslashes before a quote makes it part of the text that began at `start`. */
static bool is_escaped(const char *start, const char *quote)
{
    const char *before = quote;

    while (before > start && before[-1] == '\\')
        before--;
    return (quote - before) % 2 == 1;
}

static enum status scan_text(struct scan *scan)
{
    const char *start = scan->bytes + scan->at + 1, *end = scan->bytes + scan->length;
    const char *quote = start - 1;

    do {
        quote++;
        quote = quote < end ? memchr(quote, '"', (size_t)(end - quote)) : NULL;
    } while (quote != NULL && is_escaped(start, quote));
    scan->at = quote != NULL ? (size_t)(quote + 1 - scan->bytes) : scan->length;
    return quote != NULL ? STATUS_OK : refuse(scan, "malformed", "a text does not end");
}

static enum status scan_next(struct scan *scan)
{
    char letter = scan->bytes[scan->at];

    if (letter == '"')
        return scan_text(scan);
    if (letter == '-' || is_digit(letter))
        return scan_number(scan);
    if (letter == '{' || letter == '[') {
        if (++scan->depth > scan->depth_max)
            return refuse(scan, "malformed", "it is nested deeper than allowed");
    } else if (letter == '}' || letter == ']') {
        scan->depth -= scan->depth > 0;
    }
    scan->at++;
    return STATUS_OK;
}

static enum status scan_all(struct scan *scan)
{
    if (scan->length >= 3 && memcmp(scan->bytes, "\xef\xbb\xbf", 3) == 0)
        return refuse(scan, "malformed", "it begins with a byte order mark");
    if (memchr(scan->bytes, '\0', scan->length) != NULL || !text_is_utf8(scan->bytes, scan->length))
        return refuse(scan, "malformed", "it is not UTF-8 text");
    while (scan->at < scan->length)
        TRY(scan_next(scan));
    return STATUS_OK;
}

static enum status unparsable(const json_error_t *cause, struct error *err)
{
    bool is_twice = json_error_code(cause) == json_error_duplicate_key;

    (void)error_set(err, STATUS_INVALID, "byte %d of the JSON: %s", cause->position,
                    is_twice ? "a member is there twice" : "it is not JSON");
    error_detail(err, "jansson: %s", cause->text);
    error_code(err, is_twice ? "duplicate-member" : "malformed");
    return STATUS_INVALID;
}

enum status profile_parse(const char *bytes, size_t length, const struct profile_limits *limits,
                          json_t **ret_root, struct error *err)
{
    struct scan scan = {.bytes = bytes, .length = length, .depth_max = limits->depth, .err = err};
    json_auto_t *root = NULL;
    json_error_t cause;

    if (length > limits->bytes) {
        (void)error_set(err, STATUS_TOO_LARGE, "the JSON has more than %zu bytes", limits->bytes);
        error_code(err, "malformed");
        return STATUS_TOO_LARGE;
    }
    if (length > 0)
        TRY(scan_all(&scan));
    root = json_loadb(length > 0 ? bytes : "", length, JSON_REJECT_DUPLICATES, &cause);
    if (root == NULL)
        return unparsable(&cause, err);
    if (!json_is_object(root)) {
        scan.at = 0;
        return refuse(&scan, "malformed", "it is not an object");
    }
    *ret_root = TAKE(root);
    return STATUS_OK;
}

char *profile_print(const json_t *root)
{
    char *text = json_dumps(root, JSON_COMPACT);

    if (text == NULL)
        abort();
    return text;
}
