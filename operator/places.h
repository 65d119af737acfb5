/*
 * What a keyring says of the project itself: its name, its URLs, and the CAs that volunteers may
 * trust there; as the options of `dugnad key publish` give them.
 */
#ifndef OPERATOR_PLACES_H
#define OPERATOR_PLACES_H

#include "common/base/options.h"
#include "operator/profile.h"

/* Zeroed: nothing is said, so that nothing changes. */
struct places {
    const char *name;  /* borrowed; NULL: not said */
    struct texts urls; /* owned; none: not said */
    bool has_cas;      /* the list below is said, even if it is empty */
    size_t ca_count;
    struct digest cas[KEYRING_CAS_MAX];
};

void places_clear(struct places *places); /* for CLEANUP(), too */

/*
 * What the command line alone tells. STATUS_INVALID, STATUS_TOO_LARGE name the option and its
 * limit. Then the files of --tls-ca, once each: any failure names the file.
 */
enum status places_parse(const struct options *options, struct places *ret_places,
                         struct error *err) MUST_USE;
enum status places_read_cas(const struct options *options, struct session *session,
                            struct places *places, struct error *err) MUST_USE;

bool places_are_said(const struct places *places);

/* Each list that is said replaces the keyring's. */
void places_apply(const struct places *places, struct keyring *keyring);

/* Do both say the same of the project? The order of a list counts for nothing. */
bool places_are_same(const struct keyring *a, const struct keyring *b);

/* What became of the one in the other, in words for a person, with what follows from it. */
void places_say_change(struct profile *profile, const struct options *options,
                       const struct keyring *before, const struct keyring *after);

#define PLACES_OPTIONS                                                                             \
    {.name = "name",                                                                               \
     .argument = "TEXT",                                                                           \
     .help = "The project's name, up to 100 bytes (first the site's name, then as it was)."},      \
        {.name = "url",                                                                            \
         .argument = "URL",                                                                        \
         .help = "Where volunteers reach the project, up to 8 times; replaces the whole list "     \
                 "(first the profile's URL, then as it was).",                                     \
         .is_repeatable = true},                                                                   \
        {.name = "tls-ca",                                                                         \
         .argument = "FILE",                                                                       \
         .help = "A CA (one certificate, PEM, up to 16 KiB) that volunteers may trust for these "  \
                 "URLs, up to 8 times; replaces the whole list (first the profile's own, if the "  \
                 "site has one, then as it was).",                                                 \
         .is_repeatable = true},                                                                   \
    {                                                                                              \
        .name = "no-tls-ca",                                                                       \
        .help = "List no CA: the site's certificate is one that every system trusts."              \
    }

#endif
