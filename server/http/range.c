#include "server/http/range.h"

#include <stddef.h>
#include <string.h>

#include "server/http/chars.h"

/* Digits at the front; -1 when there are none. Huge numbers stay at the largest: none is served. */
static int64_t take_number(const char **text)
{
    int64_t number = -1;

    for (; **text >= '0' && **text <= '9'; (*text)++) {
        if (number < 0)
            number = 0;
        number = number > (INT64_MAX - 9) / 10 ? INT64_MAX : number * 10 + (**text - '0');
    }
    return number;
}

static struct http_range part(int64_t first, int64_t last, int64_t size)
{
    if (last > size - 1)
        last = size - 1;
    if (first > last)
        return (struct http_range){.kind = HTTP_RANGE_IMPOSSIBLE};
    return (struct http_range){
        .kind = HTTP_RANGE_PART, .offset = first, .length = last - first + 1};
}

struct http_range http_range_parse(const char *value, int64_t size)
{
    const struct http_range whole = {.kind = HTTP_RANGE_WHOLE, .length = size};
    int64_t first, last;

    if (value == NULL || strlen(value) < 6 || !http_equals(value, 6, "bytes="))
        return whole;
    value += 6;
    first = take_number(&value);
    if (*value++ != '-')
        return whole;
    last = take_number(&value);
    if (*value != '\0' || (first < 0 && last < 0) || (last >= 0 && first > last))
        return whole;
    if (first < 0)
        return part(last < size ? size - last : 0, last > 0 ? size - 1 : -1, size);
    return part(first, last < 0 ? INT64_MAX : last, size);
}
