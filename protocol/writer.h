/*
 * Writes compact JSON from start to end. Only protocol/ uses it. What is sized by a peer was
 * bounded when it was decoded; beyond WRITER_MAX the program aborts.
 */
#ifndef PROTOCOL_WRITER_H
#define PROTOCOL_WRITER_H

#include "common/base/buffer.h"
#include "common/crypto/keys.h"
#include "protocol/words.h"

#define WRITER_MAX ((size_t)256 * 1024 * 1024)

struct writer {
    struct buffer out;
    bool is_first; /* of its object or list */
};

/* Begins the outermost object. */
void writer_init(struct writer *writer);

/* Ends it: the text, to be freed. */
char *writer_end(struct writer *writer);

/* `name` is NULL inside a list. */
void write_open(struct writer *writer, const char *name, char bracket); /* '{' or '[' */
void write_close(struct writer *writer, char bracket);                  /* '}' or ']' */
void write_integer(struct writer *writer, const char *name, int64_t value);
void write_null(struct writer *writer, const char *name);
void write_text(struct writer *writer, const char *name, const char *text);
void write_text_unless_empty(struct writer *writer, const char *name, const char *text);
void write_integer_unless_zero(struct writer *writer, const char *name, int64_t value);
void write_digest(struct writer *writer, const char *name, const struct digest *digest);
void write_key(struct writer *writer, const char *name, const struct public_key *key);
void write_batch(struct writer *writer, const char *name, const struct batch_id *batch);
void write_base64(struct writer *writer, const char *name, const void *bytes, size_t length);

/* JSON as it stands: an envelope. NULL writes null. */
void write_json(struct writer *writer, const char *name, const char *json);
void write_texts(struct writer *writer, const char *name, const struct texts *texts);
void write_jsons(struct writer *writer, const char *name, const struct texts *jsons);
void write_digests(struct writer *writer, const char *name, const struct digest *digests,
                   size_t count);
void write_outputs(struct writer *writer, const char *name, const struct named_outputs *outputs);

/* name, digest and size into the object that is open. */
void write_output_members(struct writer *writer, const struct named_output *output);

#endif
