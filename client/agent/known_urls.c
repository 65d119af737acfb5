#include "client/agent/known_urls.h"

#include <string.h>

/* `count`: it is not there. */
static size_t find(const struct known_urls *known, const char *site)
{
    size_t i = 0;

    while (i < known->count && strcmp(known->urls[i].text, site) != 0)
        i++;
    return i;
}

static void drop(struct known_urls *known, size_t index)
{
    known->count--;
    memmove(&known->urls[index], &known->urls[index + 1],
            (known->count - index) * sizeof *known->urls);
}

bool known_urls_note(struct known_urls *known, const char *url)
{
    struct http_url site;
    size_t found;
    bool is_new;

    if (http_url_site(url, &site, NULL) != STATUS_OK)
        return false;
    found = find(known, site.text);
    is_new = found == known->count;
    if (!is_new)
        drop(known, found);
    else if (known->count == KNOWN_URLS_MAX)
        drop(known, 0);
    known->urls[known->count++] = site;
    return is_new;
}

bool known_urls_have(const struct known_urls *known, const char *url)
{
    struct http_url site;

    return http_url_site(url, &site, NULL) == STATUS_OK && find(known, site.text) < known->count;
}
