#include "protocol/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/base64.h"

static void put(struct writer *writer, const char *bytes, size_t length)
{
    if (buffer_append(&writer->out, bytes, length, NULL) != STATUS_OK)
        abort();
}

static void put_escaped(struct writer *writer, const char *text)
{
    static const char special[] = "\"\\";

    while (*text != '\0') {
        size_t plain = 0;
        char escape[8];

        while ((unsigned char)text[plain] >= 0x20 && strchr(special, text[plain]) == NULL)
            plain++;
        put(writer, text, plain);
        text += plain;
        if (*text == '\0')
            break;
        if (*text == '\n')
            (void)snprintf(escape, sizeof escape, "\\n");
        else if ((unsigned char)*text >= 0x20)
            (void)snprintf(escape, sizeof escape, "\\%c", *text);
        else
            (void)snprintf(escape, sizeof escape, "\\u%04x", (unsigned)*text);
        put(writer, escape, strlen(escape));
        text++;
    }
}

static void put_text(struct writer *writer, const char *text)
{
    put(writer, "\"", 1);
    if (text_is_utf8(text, strlen(text))) {
        put_escaped(writer, text);
    } else {
        CLEANUP(freep) char *clean = text_sanitised(text);

        put_escaped(writer, clean);
    }
    put(writer, "\"", 1);
}

/* The comma and the name before a value. */
static void put_name(struct writer *writer, const char *name)
{
    if (!writer->is_first)
        put(writer, ",", 1);
    writer->is_first = false;
    if (name != NULL) {
        put_text(writer, name);
        put(writer, ":", 1);
    }
}

void writer_init(struct writer *writer)
{
    *writer = (struct writer){.is_first = true};
    buffer_init(&writer->out, WRITER_MAX);
    write_open(writer, NULL, '{');
}

char *writer_end(struct writer *writer)
{
    write_close(writer, '}');
    return buffer_take(&writer->out);
}

void write_open(struct writer *writer, const char *name, char bracket)
{
    put_name(writer, name);
    put(writer, &bracket, 1);
    writer->is_first = true;
}

void write_close(struct writer *writer, char bracket)
{
    put(writer, &bracket, 1);
    writer->is_first = false;
}

void write_integer(struct writer *writer, const char *name, int64_t value)
{
    char digits[24];

    (void)snprintf(digits, sizeof digits, "%" PRId64, value);
    write_json(writer, name, digits);
}

void write_null(struct writer *writer, const char *name)
{
    write_json(writer, name, NULL);
}

void write_text(struct writer *writer, const char *name, const char *text)
{
    put_name(writer, name);
    put_text(writer, text);
}

void write_text_unless_empty(struct writer *writer, const char *name, const char *text)
{
    if (text[0] != '\0')
        write_text(writer, name, text);
}

void write_integer_unless_zero(struct writer *writer, const char *name, int64_t value)
{
    if (value != 0)
        write_integer(writer, name, value);
}

void write_digest(struct writer *writer, const char *name, const struct digest *digest)
{
    write_text(writer, name, digest_format(digest).text);
}

void write_key(struct writer *writer, const char *name, const struct public_key *key)
{
    write_text(writer, name, public_key_format(key).text);
}

void write_batch(struct writer *writer, const char *name, const struct batch_id *batch)
{
    write_text(writer, name, batch_format(batch).text);
}

void write_base64(struct writer *writer, const char *name, const void *bytes, size_t length)
{
    char *room;

    put_name(writer, name);
    put(writer, "\"", 1);
    room = buffer_reserve(&writer->out, BASE64_CHARS(length) + 1);
    if (room == NULL)
        abort();
    base64_encode(bytes, length, room);
    buffer_commit(&writer->out, BASE64_CHARS(length));
    put(writer, "\"", 1);
}

void write_json(struct writer *writer, const char *name, const char *json)
{
    const char *text = json != NULL ? json : "null";

    put_name(writer, name);
    put(writer, text, strlen(text));
}

void write_texts(struct writer *writer, const char *name, const struct texts *texts)
{
    write_open(writer, name, '[');
    for (size_t i = 0; i < texts->count; i++)
        write_text(writer, NULL, texts->texts[i]);
    write_close(writer, ']');
}

void write_jsons(struct writer *writer, const char *name, const struct texts *jsons)
{
    write_open(writer, name, '[');
    for (size_t i = 0; i < jsons->count; i++)
        write_json(writer, NULL, jsons->texts[i]);
    write_close(writer, ']');
}

void write_digests(struct writer *writer, const char *name, const struct digest *digests,
                   size_t count)
{
    write_open(writer, name, '[');
    for (size_t i = 0; i < count; i++)
        write_digest(writer, NULL, &digests[i]);
    write_close(writer, ']');
}

void write_output_members(struct writer *writer, const struct named_output *output)
{
    write_text(writer, "name", output->name.text);
    write_digest(writer, "digest", &output->digest);
    write_integer(writer, "size", output->size);
}

void write_outputs(struct writer *writer, const char *name, const struct named_outputs *outputs)
{
    write_open(writer, name, '[');
    for (size_t i = 0; i < outputs->count; i++) {
        write_open(writer, NULL, '{');
        write_output_members(writer, &outputs->outputs[i]);
        write_close(writer, '}');
    }
    write_close(writer, ']');
}
