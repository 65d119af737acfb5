/*
 * What GET /v1/project says, taken into a chain of trust: on first contact, and whenever there are
 * newer keys. Pure but for the time it is told.
 */
#ifndef CLIENT_FETCH_CONTACT_H
#define CLIENT_FETCH_CONTACT_H

#include "common/http/client.h"
#include "protocol/project.h"
#include "work-units/trust.h"

/*
 * Take keyrings and freshness. `trust` is clear at first; `pinned` is the project's id. An answer
 * that is older than what is known changes nothing. Anything but REFUSAL_NONE: `trust` may hold
 * part of it, use it no more. REFUSAL_KEYRING_FORK: `ret_fork`, owned then, is the other keyring.
 */
enum refusal contact_take(struct trust *trust, const struct digest *pinned,
                          const struct project *project, int64_t now_s, char **ret_fork,
                          struct error *err) MUST_USE;

/* STATUS_UNTRUSTED: it shows no keyring of this version or a later one. */
enum status contact_check_newest(const struct project *project, int64_t version, struct error *err)
    MUST_USE;

/* May a token go to this site? Its origin must be one that the keyring lists. */
bool contact_is_listed(const struct keyring *keyring, const char *url);

#endif
