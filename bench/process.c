#include "bench/process.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/disk.h"

#define FILE_MAX 65536

int64_t process_number(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = text; line != NULL && *line != '\0';) {
        if (strncmp(line, key, length) == 0)
            return (int64_t)strtoll(line + length, NULL, 10);
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return 0;
}

/* The command's name may hold blanks and brackets: fields are counted from its last one. */
int64_t process_ticks(const char *stat)
{
    const char *field = strrchr(stat, ')');
    char *rest;
    int64_t user;

    for (int i = 2; field != NULL && i < 14; i++) {
        field = strchr(field, ' ');
        field = field != NULL ? field + 1 : NULL;
    }
    if (field == NULL)
        return 0;
    user = (int64_t)strtoll(field, &rest, 10);
    return user + (int64_t)strtoll(rest, NULL, 10);
}

static enum status read_of(struct disk *disk, int64_t pid, const char *name,
                           struct buffer *ret_text, struct error *err)
{
    struct disk_path path;

    buffer_reset(ret_text);
    TRY(disk_join(&path, err, "/proc/%" PRId64 "/%s", pid, name));
    return disk->read(disk, path.text, ret_text, err);
}

enum status process_look(struct disk *disk, int64_t pid, int64_t ticks_per_s,
                         struct process_use *ret_use, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = FILE_MAX};
    struct process_use use = {0};

    TRY(read_of(disk, pid, "stat", &text, err));
    use.cpu_us = process_ticks(buffer_text(&text)) * (1000000 / ticks_per_s);
    if (read_of(disk, pid, "status", &text, NULL) == STATUS_OK) {
        use.rss_bytes = process_number(buffer_text(&text), "VmRSS:") * 1024;
        use.peak_bytes = process_number(buffer_text(&text), "VmHWM:") * 1024;
    }
    if (read_of(disk, pid, "io", &text, NULL) == STATUS_OK)
        use.written_bytes = process_number(buffer_text(&text), "write_bytes:");
    *ret_use = use;
    return STATUS_OK;
}
