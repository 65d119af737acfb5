/*
 * What GET /v1/project says, taken into a chain of trust: on first contact, and whenever there are
 * newer keys. Pure but for the time it is told.
 */
#ifndef CLIENT_FETCH_CONTACT_H
#define CLIENT_FETCH_CONTACT_H

#include "common/http/client.h"
#include "protocol/project.h"
#include "protocol/refused.h"
#include "work-units/trust.h"

/* What of it is refused, for the site to be told. Zeroed: nothing. */
struct contact_refused {
    enum refused_kind what;
    enum refusal refusal;
    const char *json; /* borrowed of the project; NULL: nothing is refused */
};

/*
 * Take keyrings and freshness. `trust` is clear at first; `pinned` is the project's id. An answer
 * that is older than what is known changes nothing. Anything but REFUSAL_NONE: `trust` may hold
 * part of it, use it no more. *ret_refused is written where something is refused; that may be an
 * older freshness beside REFUSAL_NONE, for it does no harm.
 */
enum refusal contact_take(struct trust *trust, const struct digest *pinned,
                          const struct project *project, int64_t now_s,
                          struct contact_refused *ret_refused, struct error *err) MUST_USE;

/* STATUS_UNTRUSTED: it shows no keyring of this version or a later one; *ret_refused is its newest.
 */
enum status contact_check_newest(const struct project *project, int64_t version,
                                 struct contact_refused *ret_refused, struct error *err) MUST_USE;

/* May a token go to this site? Its origin must be one that the keyring lists. */
bool contact_is_listed(const struct keyring *keyring, const char *url);

#endif
