#include "server/http/head.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "server/http/chars.h"

void http_peer_text(const struct http_peer *peer, char ret_text[HTTP_PEER_TEXT_MAX])
{
    int family = peer->kind == HTTP_PEER_IPV4 ? AF_INET : AF_INET6;

    if (peer->kind == HTTP_PEER_LOCAL ||
        inet_ntop(family, peer->address, ret_text, HTTP_PEER_TEXT_MAX) == NULL)
        (void)snprintf(ret_text, HTTP_PEER_TEXT_MAX, "local");
}

const char *http_head_field(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (strcmp(head->fields[i].name, name) == 0)
            return head->fields[i].value;
    return NULL;
}

bool http_head_has_type(const struct http_head *head, const char *type)
{
    const char *value = http_head_field(head, "content-type");
    size_t length;

    if (value == NULL)
        return false;
    length = strcspn(value, "; \t");
    return http_equals(value, length, type);
}

const char *http_head_bearer(const struct http_head *head)
{
    const char *value = http_head_field(head, "authorization");

    if (value == NULL || strlen(value) < 8 || !http_equals(value, 7, "bearer "))
        return NULL;
    value += 7 + strspn(value + 7, " ");
    return *value != '\0' && strpbrk(value, " \t") == NULL ? value : NULL;
}

bool http_head_has_etag(const struct http_head *head, const char *etag)
{
    size_t length = strlen(etag);
    const char *c = http_head_field(head, "if-none-match");

    if (c == NULL)
        return false;
    if (strcmp(c, "*") == 0)
        return true;
    while (*c != '\0') {
        c += strspn(c, " \t,");
        if (strncmp(c, "W/", 2) == 0) /* weak comparison: RFC 9110, 13.1.2 */
            c += 2;
        if (strncmp(c, etag, length) == 0 && strchr(" \t,", c[length]) != NULL)
            return true;
        c += strcspn(c, ",");
    }
    return false;
}
