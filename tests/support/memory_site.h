/*
 * A site in memory behind a struct http_client: enough of the protocol for the operator's verbs. It
 * can be cut off after so many requests: the request never arrives, or its answer is lost.
 */
#ifndef TESTS_SUPPORT_MEMORY_SITE_H
#define TESTS_SUPPORT_MEMORY_SITE_H

#include "common/http/client.h"
#include "protocol/batch.h"
#include "work-units/names.h"

#define MEMORY_SITE_URL "https://grid.example"
#define FAKE_TOKEN      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

enum site_cut {
    CUT_NEVER,
    CUT_REQUEST,
    CUT_ANSWER,
    CUT_HOLE, /* one request is lost while the two after it arrive; none of them is answered */
};

struct memory_site {
    struct http_client client; /* first */
    struct texts keyrings, app_versions, variants;
    char *freshness;
    struct digest project;
    bool has_batch;
    struct batch_request batch;
    bool is_closed;
    char last_action[128];     /* the request */
    int64_t failed, cancelled; /* units that are told to have ended so */
    struct retry_status retry; /* what it says of the last one; is_running for two answers */
    int retry_looks;           /* answers so far that told of it */
    struct texts units;        /* envelopes, in order of arrival, each once */
    struct texts files;        /* digests that are there */
    struct texts bodies;       /* theirs, in the same order */
    struct texts results;      /* lines, each with its end */
    bool lists_in_circles;     /* of results: after the last line comes the first */
    long listing_circle;       /* of hosts, tasks and batches: each page names one of so many as the
                                * next, in turn, all of them empty; 0: as it should */
    char *output;              /* what GET /v1/outputs/… answers; NULL: not found */
    const char *units_answer;  /* to units that come, of which none is kept; NULL: as it should */
    const char *host_answer;   /* what is said of a host's withdrawal; NULL: there is no host */
    void (*before_files)(void);  /* called when it was asked which files it lacks; may be NULL */
    void (*while_waiting)(void); /* called instead of ever answering; may be NULL */
    char hangs_on;               /* only files that begin so are never answered; 0: all is */
    size_t gets, most_gets;      /* of files: under way; at the same time so far */
    int64_t requests;            /* so far */
    size_t puts, most_puts;      /* files that are on their way; at the same time so far */
    int64_t cut_after;           /* requests that still go through */
    enum site_cut cut;
    size_t tokens_elsewhere; /* requests with a token to another URL than MEMORY_SITE_URL */
    struct texts log;        /* "POST /v1/keyrings" … */
};

void memory_site_init(struct memory_site *site);
void memory_site_clear(struct memory_site *site);

#endif
