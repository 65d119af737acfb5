/* How a host comes to be known: POST /v1/challenges, then POST /v1/hosts. */
#ifndef PROTOCOL_ENROLMENT_H
#define PROTOCOL_ENROLMENT_H

#include "common/crypto/envelope.h"
#include "protocol/words.h"

#define ENROLMENT_TYPE          "application/vnd.dugnad.enrolment+json"
#define ENROLMENT_PAYLOAD_MAX   4096
#define ENROLMENT_REQUEST_MAX   (16 * 1024)
#define ENROLMENT_REPLY_MAX     (16 * 1024)
#define ENROLMENT_CHALLENGE_MAX 128 /* bytes */

/* Stored: never renumber. */
enum enrolment_kind { ENROLMENT_NATIVE = 1, ENROLMENT_BROWSER = 2 };

struct challenge {
    uint8_t bytes[ENROLMENT_CHALLENGE_MAX];
    size_t length; /* 1..ENROLMENT_CHALLENGE_MAX */
};

struct challenge_reply {
    struct challenge challenge;
    int64_t expires_s;
};

/* Its request is "{}". */
enum status challenge_reply_decode(const char *body, size_t length,
                                   struct challenge_reply *ret_reply, struct error *err) MUST_USE;
char *challenge_reply_encode(const struct challenge_reply *reply);

/* STATUS_INVALID unless the body is an empty object, as POST /v1/challenges wants it. */
enum status empty_request_decode(const char *body, size_t length, struct error *err) MUST_USE;

/* What the host signs. */
struct enrolment {
    struct digest project;
    struct public_key key; /* the host's own; has to be the one that signed it */
    struct challenge challenge;
    enum enrolment_kind kind;
    int64_t time_s; /* its clock */
};

enum status enrolment_decode(const char *payload, size_t length, struct enrolment *ret_enrolment,
                             struct error *err) MUST_USE;
char *enrolment_encode(const struct enrolment *enrolment);

struct enrolment_request {
    struct envelope statement;  /* NOT verified: envelope_is_signed_by() enrolment.key */
    struct enrolment enrolment; /* its payload */
    struct token account;       /* whose host it is; none: nobody said */
};

void enrolment_request_clear(struct enrolment_request *request);
enum status enrolment_request_decode(const char *body, size_t length,
                                     struct enrolment_request *ret_request, struct error *err)
    MUST_USE;

/* `enrolment` is not written: it is the statement's payload. */
char *enrolment_request_encode(const struct enrolment_request *request);

struct enrolment_reply {
    int64_t host;
    struct token token;
    int64_t volunteer;
    int64_t next_visit; /* 1..: the least number its next visit may have */
};

enum status enrolment_reply_decode(const char *body, size_t length,
                                   struct enrolment_reply *ret_reply, struct error *err) MUST_USE;
char *enrolment_reply_encode(const struct enrolment_reply *reply);

#endif
