/*
 * The client's side of HTTPS, as a table of functions: http_client_open_curl() fills it with the
 * real thing, tests and the simulator with their own.
 *
 * Exchanges never block: start() one, wait() for any of them, ask poll() whether it is over. Who
 * has nothing else to do calls http_perform().
 *
 * Only https. Certificates are always verified, against the system's store and, where the request
 * names one, one more CA. The single exception is a request `on_first_contact`, which may only be
 * `GET …/v1/project` without a token, and whose answer carries the chain that the server presented:
 * nothing of such an answer may be believed before http_chain_find_ca() found a CA in it that a
 * verified keyring lists. Redirects are never followed.
 *
 * Threads: a client and its exchanges belong to one thread.
 */
#ifndef COMMON_HTTP_CLIENT_H
#define COMMON_HTTP_CLIENT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/crypto/digest.h"

struct disk_file;
struct env;

#define HTTP_URL_MAX          1024
#define HTTP_ETAG_MAX         256
#define HTTP_HEADERS_MAX      16          /* extra ones of a request */
#define HTTP_HEADER_BYTES_MAX (32 * 1024) /* of a whole response head */
#define HTTP_PROBLEM_MAX      (16 * 1024) /* body of a response that is not 2xx */
#define HTTP_CHAIN_MAX        8           /* certificates that a server may present */
#define HTTP_CA_PEM_MAX       (16 * 1024)

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE };

struct http_header {
    const char *name;
    const char *value; /* printable ASCII */
};

/* Borrowed until the exchange is released. Zeroed: no body. */
struct http_body {
    const void *bytes;      /* NULL: from the file */
    struct disk_file *file; /* NULL: from `bytes` */
    int64_t offset;         /* of the file */
    int64_t length;         /* of either */
};

struct http_response;

/* Where a large 2xx body goes, piece by piece. A failure ends the exchange with that failure. */
struct http_sink {
    /* Status and headers are there: 206 with its range, or 200 from the start? May be NULL. */
    enum status (*begin)(void *context, const struct http_response *head, struct error *err);
    enum status (*write)(void *context, const void *bytes, size_t count, struct error *err);
    void *context;
};

/* What bounds an exchange in time. 0: the default. */
struct http_patience {
    int64_t connect_s;    /* connection and handshake; default 20 */
    int64_t total_s;      /* all of it; default 120, with a sink or a file: not bounded */
    int64_t min_rate_bps; /* bytes a second; default 64 … */
    int64_t min_rate_s;   /* … for so long; default 60 */
};

/* Copied by start(), but for the body, the sink's context and ca_pem. */
struct http_request {
    enum http_method method;
    const char *url;          /* https://host[:port]/path */
    const char *token;        /* bearer token; NULL: none */
    const char *content_type; /* of the body; NULL: application/json */
    const struct http_header *headers;
    size_t header_count; /* 0..HTTP_HEADERS_MAX */
    struct http_body body;
    int64_t max_bytes;         /* of a 2xx body; must be set where there is one. More: TOO_LARGE */
    struct http_sink *sink;    /* NULL: into the response's buffer */
    const char *ca_pem;        /* a CA trusted besides the system's; NULL: none. HTTP_CA_PEM_MAX */
    int64_t range_from;        /* > 0: ask for the bytes from there to the end */
    const char *if_match;      /* ETag for If-Range when range_from is given; NULL: none */
    const char *if_none_match; /* ETag; NULL: none. Then 304 is an answer like 2xx */
    struct http_patience patience;
    bool on_first_contact;
};

/* DER certificates, the server's own first. Zeroed: none. */
struct http_chain {
    size_t count;
    struct {
        unsigned char *der; /* owned */
        size_t length;
    } certificates[HTTP_CHAIN_MAX];
};

void http_chain_clear(struct http_chain *chain); /* for CLEANUP(), too */

#define HTTP_ABSENT (-1) /* a number that no header gave */

struct http_response {
    int status;                  /* of HTTP */
    int64_t retry_after_s;       /* HTTP_ABSENT; or as told, unclamped, seconds from now */
    int64_t content_length;      /* HTTP_ABSENT */
    int64_t upload_offset;       /* HTTP_ABSENT */
    int64_t range_first;         /* of a 206's Content-Range; HTTP_ABSENT */
    int64_t range_total;         /* HTTP_ABSENT */
    char location[HTTP_URL_MAX]; /* as an absolute URL of the same origin; "": none or another */
    char etag[HTTP_ETAG_MAX];    /* "" */
    char content_type[128];      /* "" */
    struct buffer body;          /* owned; of a problem, or where no sink took it */
    struct http_chain chain;     /* owned; on first contact only */
};

void http_response_init(struct http_response *response);
void http_response_clear(struct http_response *response); /* for CLEANUP(), too */

struct http_exchange; /* opaque */

/* Implementations embed this as their first member. */
struct http_client {
    /* STATUS_INVALID: the request itself is wrong. Whatever else goes wrong, poll() says. */
    enum status (*start)(struct http_client *client, const struct http_request *request,
                         struct http_exchange **ret_exchange, struct error *err);

    /*
     * False: not over yet. True: over; *ret_status is how. STATUS_OK: there is a response, whatever
     * its HTTP status (http_check() judges it); *ret_response is given away then, once, and only
     * then written. Never waits.
     * STATUS_UNREACHABLE: no connection, or it broke or was too slow. STATUS_TOO_LARGE: beyond
     * max_bytes. STATUS_UNTRUSTED: the certificate; code "certificate-unknown-ca",
     * "certificate-expired", "certificate-not-yet-valid", "certificate-wrong-name" or
     * "certificate-refused". STATUS_INVALID: that was not HTTP. Else what the sink answered.
     */
    bool (*poll)(struct http_exchange *exchange, enum status *ret_status,
                 struct http_response *ret_response, struct error *err);

    /*
     * Move exchanges on; return after `timeout_ms`, or as soon as something happened to one of them
     * or to one of the other descriptors, of which there are up to 256 (their revents are set
     * then). timeout_ms 0: do not wait.
     */
    void (*wait)(struct http_client *client, struct pollfd *others, unsigned other_count,
                 int64_t timeout_ms);

    /* Forget the exchange, breaking it off if it is not over. NULL is fine. */
    void (*release)(struct http_client *client, struct http_exchange *exchange);

    /* No exchange of it may be left. */
    void (*close)(struct http_client *client);
};

struct http_client_options {
    const char *user_agent; /* "dugnad-client/0.1" */
};

/* The real one. Call it before other threads exist (libcurl initialises itself globally). */
enum status http_client_open_curl(const struct http_client_options *options,
                                  struct http_client **ret_client, struct error *err) MUST_USE;

/* NULL is fine. */
void http_client_close(struct http_client *client);
DEFINE_CLEANUP(struct http_client *, http_client_close)

/* One exchange from start to end, waiting. The statuses of start() and poll(). */
enum status http_perform(struct http_client *client, const struct http_request *request,
                         struct http_response *ret_response, struct error *err) MUST_USE;

/*
 * Is it 2xx (or 304)? Otherwise the failure that its problem document tells: the status it names,
 * its words made fit to be shown, when to come back, and its code if that is "clone". Without such
 * a document: by the HTTP status; then Retry-After still counts. A redirect is STATUS_UNTRUSTED,
 * code "redirect".
 */
enum status http_check(const struct http_response *response, struct error *err) MUST_USE;

/*
 * The presented chain, checked as TLS would have: does it lead to one of these CAs (SHA-256 of the
 * DER certificate), is every certificate valid at `now_s`, and does the first name the host of
 * `url`? Then that CA's PEM, to be kept and freed. STATUS_UNTRUSTED with poll()'s codes.
 */
enum status http_chain_find_ca(const struct http_chain *chain, const char *url, int64_t now_s,
                               const struct digest *cas, size_t ca_count, char **ret_pem,
                               struct error *err) MUST_USE;

/* The digest by which a keyring lists this CA. STATUS_INVALID: not one certificate in PEM. */
enum status http_ca_digest(const char *pem, size_t length, struct digest *ret_digest,
                           struct error *err) MUST_USE;

/*
 * Can clients believe a server by this certificate, listed as a CA? STATUS_INVALID: it is not one
 * certificate in PEM, no CA (basicConstraints), a CA that may not sign certificates (keyUsage), or
 * not valid at `now_s`.
 */
enum status http_ca_check(const char *pem, size_t length, int64_t now_s, struct error *err)
    MUST_USE;

#endif
