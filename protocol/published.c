#include "protocol/published.h"

#include "protocol/reading.h"
#include "protocol/writer.h"

/* Which members each answer has. */
static const struct {
    const char *number; /* NULL: none */
    const char *digest;
} names[] = {
    [PUBLISHED_KEYRING] = {"version", "project"}, [PUBLISHED_FRESHNESS] = {"sequence", NULL},
    [PUBLISHED_NOTICE] = {NULL, "notice"},        [PUBLISHED_APP_VERSION] = {NULL, "app_version"},
    [PUBLISHED_VARIANT] = {NULL, "variant"},
};

enum status published_decode(const char *body, size_t length, enum published_kind kind,
                             struct published *ret_published, struct error *err)
{
    struct published published = {.kind = kind};
    json_auto_t *root = NULL;
    struct members members;

    TRY(reply_begin(body, length, PUBLISHED_MAX, &root, &members, err));
    if (names[kind].number != NULL)
        published.number = members_id(&members, names[kind].number);
    if (names[kind].digest != NULL)
        published.digest = members_digest(&members, names[kind].digest);
    TRY(members_end(&members));
    *ret_published = published;
    return STATUS_OK;
}

char *published_encode(const struct published *published)
{
    struct writer writer;

    writer_init(&writer);
    if (names[published->kind].number != NULL)
        write_integer(&writer, names[published->kind].number, published->number);
    if (names[published->kind].digest != NULL)
        write_digest(&writer, names[published->kind].digest, &published->digest);
    return writer_end(&writer);
}

enum status units_received_decode(const char *body, size_t length, struct units_received *ret_units,
                                  struct error *err)
{
    struct units_received units;
    json_auto_t *root = NULL;
    struct members members;

    TRY(reply_begin(body, length, PUBLISHED_MAX, &root, &members, err));
    units.received = members_count(&members, "received");
    units.added = members_count(&members, "new");
    units.known = members_count(&members, "known");
    TRY(members_end(&members));
    *ret_units = units;
    return STATUS_OK;
}

char *units_received_encode(const struct units_received *units)
{
    struct writer writer;

    writer_init(&writer);
    write_integer(&writer, "received", units->received);
    write_integer(&writer, "new", units->added);
    write_integer(&writer, "known", units->known);
    return writer_end(&writer);
}
