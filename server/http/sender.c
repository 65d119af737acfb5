#include "server/http/sender.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/base/disk.h"
#include "common/base/log.h"
#include "server/http/date.h"
#include "server/http/reason.h"

#define HEAD_EXTRA_BYTES  512   /* status line and the fields that are the server's business */
#define JOINED_BODY_BYTES 16384 /* a body up to this goes out in one write with its head */
#define CHUNK_FRAME_BYTES 16    /* size line, and what ends a chunk */

static bool may_have_body(const struct http_reply *reply, bool is_head)
{
    return !is_head && reply->status != 204 && reply->status != 304;
}

/* A failure to append would be a bug: the buffer has room for all that is bounded above. */
static void must(enum status status)
{
    assert(status == STATUS_OK);
    (void)status;
}

static void write_framing(struct http_sender *sender, const struct http_sender_facts *facts)
{
    const struct http_reply *reply = &sender->reply;
    bool is_stream = reply->kind == HTTP_BODY_PRODUCER;

    sender->is_chunked = is_stream && !facts->is_old;
    if (reply->status == 204 || reply->status == 304)
        return;
    if (sender->is_chunked)
        must(buffer_append_text(&sender->out, "Transfer-Encoding: chunked\r\n", NULL));
    else if (!is_stream && !(facts->is_head && reply->kind == HTTP_BODY_NONE))
        must(buffer_printf(&sender->out, NULL, "Content-Length: %lld\r\n",
                           (long long)reply->length));
}

static void write_head(struct http_sender *sender, const struct http_sender_facts *facts)
{
    const struct http_reply *reply = &sender->reply;
    struct buffer *out = &sender->out;
    char date[HTTP_DATE_SIZE];

    http_date_format(facts->now_s, date);
    must(buffer_printf(out, NULL, "HTTP/1.1 %d %s\r\nDate: %s\r\n", reply->status,
                       http_reason(reply->status), date));
    if (facts->server_name != NULL)
        must(buffer_printf(out, NULL, "Server: %.100s\r\n", facts->server_name));
    if (facts->closes)
        must(buffer_append_text(out, "Connection: close\r\n", NULL));
    write_framing(sender, facts);
    must(buffer_append(out, buffer_text(&reply->fields), reply->fields.length, NULL));
    must(buffer_append_text(out, "\r\n", NULL));
}

void http_sender_begin(struct http_sender *sender, struct http_reply *reply,
                       const struct http_sender_facts *facts)
{
    assert(sender->out.bytes == NULL);
    *sender = (struct http_sender){.reply = *reply};
    *reply = (struct http_reply){0};
    buffer_init(&sender->out, HEAD_EXTRA_BYTES + HTTP_REPLY_FIELDS_MAX_BYTES + JOINED_BODY_BYTES +
                                  HTTP_PIECE_BYTES + CHUNK_FRAME_BYTES);
    sender->has_body = may_have_body(&sender->reply, facts->is_head);
    write_head(sender, facts);
    sender->is_over = !sender->has_body || sender->reply.kind == HTTP_BODY_NONE;
    if (!sender->is_over && sender->reply.kind == HTTP_BODY_MEMORY &&
        sender->reply.length <= JOINED_BODY_BYTES) {
        must(buffer_append(&sender->out, sender->reply.bytes, (size_t)sender->reply.length, NULL));
        sender->is_over = true;
    }
}

void http_sender_clear(struct http_sender *sender)
{
    http_reply_clear(&sender->reply);
    buffer_clear(&sender->out);
    *sender = (struct http_sender){0};
}

static enum http_send read_piece(struct http_sender *sender)
{
    struct http_reply *reply = &sender->reply;
    int64_t left = reply->length - sender->body_done;
    size_t want = left < HTTP_PIECE_BYTES ? (size_t)left : HTTP_PIECE_BYTES;
    char *room = buffer_reserve(&sender->out, want);
    size_t got = 0;
    struct error err = {0};

    if (left > 0) {
        if (reply->disk->read_at(reply->file, reply->offset + sender->body_done, room, want, &got,
                                 &err) != STATUS_OK) {
            log_failure(LOG_ERROR, "http.file_failed", &err);
            return HTTP_SEND_CUT;
        }
        if (got == 0) {
            LOG(LOG_ERROR, "http.file_short", LOG_N("missing", left));
            return HTTP_SEND_CUT;
        }
        buffer_commit(&sender->out, got);
        sender->body_done += (int64_t)got;
    }
    sender->is_over = sender->body_done == reply->length;
    return HTTP_SEND_BYTES;
}

/* Frame what was filled in, behind the room left for its size line. */
static void frame_piece(struct http_sender *sender, char *room, size_t count)
{
    char line[9];

    (void)snprintf(line, sizeof line, "%06zx\r\n", count);
    memcpy(room, line, 8);
    memcpy(room + 8 + count, "\r\n", 2);
    buffer_commit(&sender->out, count + 10);
}

static enum http_send produce_piece(struct http_sender *sender, struct http_exchange *exchange)
{
    struct http_producer *producer = &sender->reply.producer;
    size_t front = sender->is_chunked ? 8 : 0;
    char *room = buffer_reserve(&sender->out, HTTP_PIECE_BYTES + CHUNK_FRAME_BYTES);
    size_t count = 0;
    enum http_flow flow =
        producer->fill(producer->context, exchange, room + front, HTTP_PIECE_BYTES, &count);

    assert(count <= HTTP_PIECE_BYTES && (flow != HTTP_FLOW_MORE || count > 0));
    if (flow == HTTP_FLOW_FAIL)
        return HTTP_SEND_CUT;
    if (count > 0 && sender->is_chunked)
        frame_piece(sender, room, count);
    else if (count > 0)
        buffer_commit(&sender->out, count);
    if (flow == HTTP_FLOW_END) {
        sender->is_over = true;
        if (sender->is_chunked)
            must(buffer_append_text(&sender->out, "0\r\n\r\n", NULL));
    }
    sender->is_waiting = flow == HTTP_FLOW_LATER;
    return HTTP_SEND_BYTES;
}

/* The head waits for the first piece: most answers are one piece, and so are one record and one
 * packet. */
static void begin_body(struct http_sender *sender, struct http_exchange *exchange)
{
    if (sender->is_begun || sender->is_over || sender->reply.kind != HTTP_BODY_PRODUCER)
        return;
    sender->is_begun = true;
    sender->is_cut = produce_piece(sender, exchange) == HTTP_SEND_CUT;
}

static bool sends_memory(const struct http_sender *sender)
{
    return !sender->is_over && sender->reply.kind == HTTP_BODY_MEMORY;
}

enum http_send http_sender_next(struct http_sender *sender, struct http_exchange *exchange,
                                const char **ret_bytes, size_t *ret_length)
{
    enum http_send step = HTTP_SEND_BYTES;

    begin_body(sender, exchange);
    if (sender->out_sent == sender->out.length) {
        buffer_reset(&sender->out);
        sender->out_sent = 0;
        if (sender->is_cut)
            return HTTP_SEND_CUT;
        if (sends_memory(sender)) {
            *ret_bytes = sender->reply.bytes + sender->body_done;
            *ret_length = (size_t)(sender->reply.length - sender->body_done);
            return HTTP_SEND_BYTES;
        }
        if (sender->is_over || sender->is_waiting)
            return sender->is_over ? HTTP_SEND_DONE : HTTP_SEND_LATER;
        step = sender->reply.kind == HTTP_BODY_FILE ? read_piece(sender)
                                                    : produce_piece(sender, exchange);
        if (step == HTTP_SEND_BYTES && sender->out.length == 0)
            return sender->is_waiting ? HTTP_SEND_LATER : HTTP_SEND_DONE;
    }
    *ret_bytes = buffer_text(&sender->out) + sender->out_sent;
    *ret_length = sender->out.length - sender->out_sent;
    return step;
}

void http_sender_resume(struct http_sender *sender)
{
    sender->is_waiting = false;
}

void http_sender_sent(struct http_sender *sender, size_t count)
{
    if (sends_memory(sender) && sender->out.length == 0) {
        sender->body_done += (int64_t)count;
        sender->is_over = sender->body_done == sender->reply.length;
    } else {
        sender->out_sent += count;
        assert(sender->out_sent <= sender->out.length);
    }
}
