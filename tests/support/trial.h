/*
 * A sample project, and what a client that trusts it says of the project's envelopes. One at a
 * time; trial_set_up() and trial_tear_down() are a suite's. Everything asserts.
 */
#ifndef TESTS_SUPPORT_TRIAL_H
#define TESTS_SUPPORT_TRIAL_H

#include "tests/support/sample.h"

struct trial {
    struct sample sample;
    struct trust trust;
    struct trust_moment start; /* now, as are the other two */
    struct trust_moment finish;
    struct trust_moment keep;
};
extern struct trial trial;

void trial_set_up(void);
void trial_tear_down(void);

/* Of the sample, as its digest is. */
struct checked_app trial_the_app(void);

/* What a check says of an envelope, which is released. */
enum refusal trial_check_app(struct envelope envelope, const struct trust_moment *moment);
enum refusal trial_check_variant(struct envelope envelope, const struct trust_moment *moment);
enum refusal trial_check_unit(struct envelope envelope, const struct trust_moment *moment);
enum refusal trial_check_notice(struct envelope envelope, const struct trust_moment *moment);
enum refusal trial_accept_keyring(struct envelope envelope);
enum refusal trial_accept_freshness(struct envelope envelope);

/* The sample's payload, signed by somebody else. */
struct envelope trial_unit_signed_by(const struct private_key *key);
struct envelope trial_app_signed_by(const struct private_key *key);

/* A unit whose payload had one piece of text put in the place of another before it was signed. */
struct envelope trial_unit_with(const char *piece, const char *instead);

/* The next keyring, issued now; nothing of it is sealed yet. */
void trial_next_keyring(void);

/* The client takes a next keyring that ends a key. */
void trial_revoke_key(const struct private_key *key);
void trial_retire_key(const struct private_key *key, int64_t at_s);

#endif
