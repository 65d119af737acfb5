/*
 * Challenges of enrolment, without a memory: a time and a random number, authenticated by the
 * site's secret for one address prefix. And the tokens that are derived from them, and receipts.
 */
#ifndef SERVER_API_CHALLENGE_H
#define SERVER_API_CHALLENGE_H

#include "common/crypto/keys.h"
#include "protocol/enrolment.h"
#include "server/site/folder.h"

struct env;

#define CHALLENGE_LIFE_S 600

void challenge_make(const struct site_secret *secret, struct env *env, const char *prefix,
                    struct challenge_reply *ret_reply);

/* STATUS_INVALID: not ours, for another prefix, or over; get a new one. */
enum status challenge_check(const struct site_secret *secret, int64_t now_s, const char *prefix,
                            const struct challenge *challenge, struct error *err) MUST_USE;

/* The same for the same key and challenge, so that a repeated enrolment is answered alike. */
void challenge_token(const struct site_secret *secret, const struct public_key *key,
                     const struct challenge *challenge, struct token *ret_token);

/* That this host was granted this task of this unit, by this site or one whose copy it is. */
struct digest challenge_receipt(const struct site_secret *secret, const struct public_key *key,
                                int64_t task, const struct digest *unit);

#endif
