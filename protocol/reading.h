/* What the decoders of protocol/ share, beyond common/json/members.h. Only they use it. */
#ifndef PROTOCOL_READING_H
#define PROTOCOL_READING_H

#include "common/crypto/envelope.h"
#include "common/json/members.h"
#include "common/json/profile.h"
#include "protocol/words.h"

/* Hand what was decoded to the caller, so that the scope has nothing left to release. */
#define GIVE(ret, thing)                                                                           \
    do {                                                                                           \
        *(ret) = (thing);                                                                          \
        (thing) = (__typeof__(thing)){0};                                                          \
    } while (0)

/*
 * A message of up to `max` bytes, read into `members`; members_end() ends it. *ret_root is freed
 * with json_decref(). Requests and signed payloads refuse members that nobody asked for, unsigned
 * replies let them pass.
 */
enum status request_begin(const char *body, size_t length, size_t max, json_t **ret_root,
                          struct members *ret_members, struct error *err) MUST_USE;
enum status reply_begin(const char *body, size_t length, size_t max, json_t **ret_root,
                        struct members *ret_members, struct error *err) MUST_USE;

/* The envelope as JSON text, to be freed; NULL after a failure. */
char *members_envelope(struct members *members, const char *name, size_t payload_max);
struct texts members_envelopes(struct members *members, const char *name, size_t max,
                               size_t payload_max);

/*
 * The same of what a site offers to clients: objects, whatever is in them. Who takes one decodes
 * it, and refuses it alone, by its code and digest; an answer that is refused whole tells neither.
 */
char *members_offered_or_null(struct members *members, const char *name);
struct texts members_offered(struct members *members, const char *name, size_t max);

/* The envelope itself. */
void members_decoded_envelope(struct members *members, const char *name, size_t payload_max,
                              struct envelope *ret_envelope);

int64_t members_id(struct members *members, const char *name);    /* 1..ID_MAX */
int64_t members_count(struct members *members, const char *name); /* 0..ID_MAX */
int64_t members_time_or_zero(struct members *members, const char *name);
struct token members_token(struct members *members, const char *name);
struct cursor members_cursor(struct members *members, const char *name);
struct cursor members_cursor_or_none(struct members *members, const char *name);
struct batch_id members_batch(struct members *members, const char *name);
struct digests members_digests(struct members *members, const char *name, size_t max);
struct bytes members_bytes(struct members *members, const char *name, size_t max);

/* Absent: "" and none. */
void members_copy_text_or_empty(struct members *members, const char *name, char *ret_text,
                                size_t size);
struct digest members_digest_or_none(struct members *members, const char *name);

/* Text of somebody else, made fit to be shown, to be freed; NULL: absent. It may have lines. */
char *members_shown_text(struct members *members, const char *name, size_t max);

/* One of the words: 1 + its index; 0 after a failure. Words belong to enums that begin with 1. */
unsigned members_word_of(struct members *members, const char *name, const char *const *words,
                         size_t count);
#define WORD_OF(members, name, words)                                                              \
    members_word_of(members, name, words, sizeof(words) / sizeof *(words))

struct named_output part_output(struct members *part);
struct named_outputs members_outputs(struct members *members, const char *name, size_t min);
#define OUTPUTS_MAX     64
#define OUTPUT_SIZE_MAX (INT64_C(1) << 48)

#endif
