#include "bench/crew.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/disk.h"
#include "common/base/text.h"

#define FIRST_LINE "dugnad-crew 1"

void crew_file_clear(struct crew_file *file)
{
    free(file->tokens);
    *file = (struct crew_file){0};
}

/* The next line, cut off where it ends; NULL: there is none. */
static char *next_line(char **rest)
{
    char *line = *rest;
    char *end = line != NULL ? strchr(line, '\n') : NULL;

    if (end == NULL)
        return NULL;
    *end = '\0';
    *rest = end + 1;
    return line;
}

static enum status read_head(char **rest, struct crew_file *file, struct error *err)
{
    const char *first = next_line(rest);
    const char *project = next_line(rest);
    const char *secret = next_line(rest);

    if (secret == NULL || strcmp(first, FIRST_LINE) != 0)
        return error_set(err, STATUS_INVALID, "the crew's file does not begin with \"%s\"",
                         FIRST_LINE);
    if (!text_starts_with(project, "project ") ||
        !digest_parse(project + strlen("project "), &file->project))
        return error_set(err, STATUS_INVALID, "line 2 of the crew's file names no project");
    if (!text_starts_with(secret, "secret ") ||
        !text_to_exact_bytes(secret + strlen("secret "), sizeof file->secret.bytes,
                             file->secret.bytes))
        return error_set(err, STATUS_INVALID, "line 3 of the crew's file has no secret");
    return STATUS_OK;
}

static enum status read_tokens(char *rest, struct crew_file *file, struct error *err)
{
    const char *line;

    file->tokens = must_alloc(strlen(rest) / (TOKEN_CHARS + 1) + 1, sizeof *file->tokens);
    while ((line = next_line(&rest)) != NULL) {
        if (!token_parse(line, &file->tokens[file->count]))
            return error_set(err, STATUS_INVALID, "line %zu of the crew's file is no token",
                             file->count + 4);
        file->count++;
    }
    return STATUS_OK;
}

enum status crew_file_read(struct disk *disk, const char *path, struct crew_file *ret_file,
                           struct error *err)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = CREW_FILE_MAX};
    CLEANUP(crew_file_clear) struct crew_file file = {0};
    CLEANUP(freep) char *content = NULL;
    char *rest;

    TRY(disk->read(disk, path, &text, err));
    if (strlen(buffer_text(&text)) != text.length)
        return error_set(err, STATUS_INVALID, "the crew's file is not text");
    rest = content = buffer_take(&text);
    TRY(read_head(&rest, &file, err));
    TRY(read_tokens(rest, &file, err));
    *ret_file = file;
    file = (struct crew_file){0};
    return STATUS_OK;
}

enum status crew_file_write(struct disk *disk, const char *path, const struct crew_file *file,
                            struct error *err)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = CREW_FILE_MAX};
    char secret[2 * DIGEST_BYTES + 1];

    text_from_bytes(file->secret.bytes, sizeof file->secret.bytes, secret);
    TRY(buffer_printf(&text, err, "%s\nproject %s\nsecret %s\n", FIRST_LINE,
                      digest_format(&file->project).text, secret));
    for (size_t i = 0; i < file->count; i++)
        TRY(buffer_printf(&text, err, "%s\n", file->tokens[i].text));
    return disk->write(disk, path, buffer_text(&text), text.length, 0600, err);
}
