#include "server/http/chars.h"

#include <string.h>

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

bool http_is_token_char(char c)
{
    return is_alphanumeric(c) || is_one_of(c, "!#$%&'*+-.^_`|~");
}

bool http_is_path_char(char c)
{
    return is_alphanumeric(c) || is_one_of(c, "/-._~!$&'()*+,;=:@");
}

bool http_is_text_char(char c)
{
    return (unsigned char)c >= ' ' ? c != 127 : c == '\t';
}

int http_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = http_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char http_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool http_equals(const char *text, size_t length, const char *lower)
{
    if (length != strlen(lower))
        return false;
    for (size_t i = 0; i < length; i++)
        if (http_lower(text[i]) != lower[i])
            return false;
    return true;
}
