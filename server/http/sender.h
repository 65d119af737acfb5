/*
 * A reply on its way out: turns it, piece by piece, into the bytes of the connection. Holds at most
 * one piece of a file or producer in memory.
 */
#ifndef SERVER_HTTP_SENDER_H
#define SERVER_HTTP_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "server/http/reply.h"

#define HTTP_PIECE_BYTES 32768 /* of a file or producer at a time */

/* Zeroed: nothing to send. */
struct http_sender {
    struct http_reply reply; /* owned */
    struct buffer out;       /* head and pieces, to be sent from `out_sent` */
    size_t out_sent;
    int64_t body_done; /* bytes of the body sent (MEMORY) or read (FILE) */
    bool has_body;     /* false to HEAD and with 204, 304 */
    bool is_chunked;
    bool is_begun;   /* the producer was asked for the piece that goes with the head */
    bool is_cut;     /* it failed: what is in `out` goes, and then nothing */
    bool is_over;    /* all of the body is in `out`, or sent */
    bool is_waiting; /* the producer said LATER; until http_sender_resume() */
};

/* What the head of the reply needs beside the reply itself. */
struct http_sender_facts {
    bool is_head;            /* the request was HEAD */
    bool is_old;             /* the request was HTTP/1.0 */
    bool closes;             /* the connection ends with this reply */
    int64_t now_s;           /* for Date */
    const char *server_name; /* may be NULL */
};

/* Takes the reply's content. The sender is zeroed or cleared. */
void http_sender_begin(struct http_sender *sender, struct http_reply *reply,
                       const struct http_sender_facts *facts);
void http_sender_clear(struct http_sender *sender);

enum http_send {
    HTTP_SEND_BYTES, /* there is something to send */
    HTTP_SEND_LATER, /* the producer will call http_exchange_resume() */
    HTTP_SEND_DONE,  /* all is sent */
    HTTP_SEND_CUT,   /* the body cannot be completed; the failure was logged */
};

/* What to send next: `*ret_length` > 0 bytes, valid until the next call. */
enum http_send http_sender_next(struct http_sender *sender, struct http_exchange *exchange,
                                const char **ret_bytes, size_t *ret_length);

/* The producer has something again. */
void http_sender_resume(struct http_sender *sender);

/* So many of them are sent. */
void http_sender_sent(struct http_sender *sender, size_t count);

#endif
