/*
 * Why a signed thing is refused. The codes are reported to servers, stored there and shown to
 * people: a code keeps its meaning for ever. Numbers are stored: new ones go to the end.
 */
#ifndef WORK_UNITS_REFUSAL_H
#define WORK_UNITS_REFUSAL_H

#include "common/base/error.h"

/*  X(symbol, code, words)  */
#define REFUSAL_TABLE(X)                                                                           \
    X(NONE, "none", "nothing is wrong with it")                                                    \
    X(MALFORMED, "malformed", "it is not what its type says it is")                                \
    X(UNKNOWN_MEMBER, "unknown-member", "it has a member that its type does not have")             \
    X(DUPLICATE_MEMBER, "duplicate-member", "it says the same member twice")                       \
    X(BAD_NUMBER, "bad-number", "it has a number outside its bounds or written in another way")    \
    X(BAD_FILE_NAME, "bad-file-name", "it has a file name that is not allowed, or twice")          \
    X(SMALL_ORDER_KEY, "small-order-key", "it names a key that protects nothing")                  \
    X(BAD_SIGNATURE, "bad-signature", "it has a signature that no key makes")                      \
    X(CHANGED_PAYLOAD, "changed-payload", "it is not what was signed")                             \
    X(UNKNOWN_KEY, "unknown-key", "no key of the project signed it")                               \
    X(WRONG_ROLE, "wrong-role", "the key that signed it is for other things")                      \
    X(APP_NOT_COVERED, "app-not-covered", "the key that signed it is for other apps")              \
    X(OUTSIDE_VALIDITY, "outside-validity", "it, or the key that signed it, is not valid now")     \
    X(RETIRED_KEY, "retired-key", "it was signed after its key was retired")                       \
    X(REVOKED_KEY, "revoked-key", "the key that signed it was revoked")                            \
    X(REVOKED_APP_VERSION, "revoked-app-version", "its app version was revoked")                   \
    X(REVOKED_BATCH, "revoked-batch", "its batch was revoked")                                     \
    X(REVOKED_UNIT, "revoked-unit", "it was revoked")                                              \
    X(NOT_ENOUGH_ROOTS, "not-enough-roots", "too few root keys signed the keyring")                \
    X(KEYRING_ROLLBACK, "keyring-rollback", "the keyring is older than the one known")             \
    X(KEYRING_FORK, "keyring-fork", "there are two different keyrings of one version")             \
    X(KEYRING_EXPIRED, "keyring-expired", "the keyring has expired")                               \
    X(NEEDS_NEWER_KEYRING, "needs-newer-keyring", "it needs a newer keyring than the one known")   \
    X(FRESHNESS_ROLLBACK, "freshness-rollback", "the freshness is older than the one known")       \
    X(STALE_FRESHNESS, "stale-freshness", "there is no freshness of the project, or it is stale")  \
    X(OTHER_PROJECT, "other-project", "it belongs to another project")                             \
    X(OTHER_APP_VERSION, "other-app-version", "it is for another app version")                     \
    X(VARIANT_NOT_OF_APP, "variant-not-of-app", "the variant is of another app version")           \
    X(NOT_ALLOWED_HERE, "not-allowed-here",                                                        \
      "it may not run on this platform, in this class or for this host's owner")                   \
    X(LIMITS_ABOVE_CEILING, "limits-above-ceiling",                                                \
      "it asks for more than its app version allows")                                              \
    X(CHANGED_INPUT, "changed-input", "an input is not the one that was signed")                   \
    X(CHANGED_EXECUTABLE, "changed-executable",                                                    \
      "a file of the app is not the one that was signed")                                          \
    X(LARGER_THAN_SIGNED, "larger-than-signed", "a file has more bytes than were signed")

enum refusal {
#define X(symbol, code, words) REFUSAL_##symbol,
    REFUSAL_TABLE(X)
#undef X
        REFUSAL_COUNT,
};

const char *refusal_code(enum refusal refusal);

/* A sentence without a full stop. */
const char *refusal_words(enum refusal refusal);

/* By its code; REFUSAL_COUNT: none has it. */
enum refusal refusal_from_code(const char *code);

/* What a failed decode means: by the error's code, REFUSAL_MALFORMED for any other. */
enum refusal refusal_from_error(const struct error *err);

#endif
