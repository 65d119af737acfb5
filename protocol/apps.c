#include "protocol/apps.h"

#include "protocol/reading.h"
#include "protocol/writer.h"

void apps_clear(struct apps *apps)
{
    for (size_t i = 0; i < apps->count; i++) {
        free(apps->apps[i].app_version);
        texts_clear(&apps->apps[i].variants);
    }
    free(apps->apps);
    *apps = (struct apps){0};
}

enum status apps_decode(const char *body, size_t length, struct apps *ret_apps, struct error *err)
{
    CLEANUP(apps_clear) struct apps apps = {0};
    json_auto_t *root = NULL;
    struct members members, part;
    struct members_list list;

    TRY(reply_begin(body, length, APPS_MAX, &root, &members, err));
    list = members_list(&members, "apps", 0, APPS_COUNT_MAX);
    apps.apps = must_alloc(list.count, sizeof *apps.apps);
    for (size_t i = 0; i < list.count && !members_failed(&members); i++) {
        list_object(&list, i, &part);
        apps.apps[i].app_version = members_envelope(&part, "app_version", ENVELOPE_PAYLOAD_MAX);
        apps.apps[i].variants =
            members_envelopes(&part, "variants", APPS_VARIANTS_MAX, ENVELOPE_PAYLOAD_MAX);
        apps.count = i + 1;
    }
    TRY(members_end(&members));
    GIVE(ret_apps, apps);
    return STATUS_OK;
}

char *apps_encode(const struct apps *apps)
{
    struct writer writer;

    writer_init(&writer);
    write_open(&writer, "apps", '[');
    for (size_t i = 0; i < apps->count; i++) {
        write_open(&writer, NULL, '{');
        write_json(&writer, "app_version", apps->apps[i].app_version);
        write_jsons(&writer, "variants", &apps->apps[i].variants);
        write_close(&writer, '}');
    }
    write_close(&writer, ']');
    return writer_end(&writer);
}
