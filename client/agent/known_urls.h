/*
 * The URLs at which a project is or was: an owner may call it by any of them. Each in the one form
 * of http_url_site(), no two alike, the one noted last at the end.
 */
#ifndef CLIENT_AGENT_KNOWN_URLS_H
#define CLIENT_AGENT_KNOWN_URLS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/http/url.h"
#include "work-units/keyring.h"

#define KNOWN_URLS_MAX (2 * KEYRING_URLS_MAX) /* of more, those noted longest ago are forgotten */

struct known_urls {
    struct http_url urls[KNOWN_URLS_MAX];
    size_t count;
};

/* True: it had not been there. What is no site's URL is not noted. */
bool known_urls_note(struct known_urls *known, const char *url);

/* In whatever form it is written. */
bool known_urls_have(const struct known_urls *known, const char *url);

#endif
